"""Who gets a callback: eligibility, load, turns, waiting. Pure: rows and a record in, rows and decisions out.

`desk` applies a record: `directory`, `callbacks` and `commands` say what it does by itself, `leaving`, `bulk` and
`waiting` what it calls for beyond (`tasks`, in parts where they are large: `agenda`). All of them decide through
`assigning`, which asks `choosing`, which asks the index: `roster`, `pool`, over `availability` and `strategies`.
`company` and `staffing` keep the index beside the rows (`rows`); `timers` and `hints` know what time will bring.
"""
