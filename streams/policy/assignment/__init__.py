"""Who gets a callback: eligibility, load, turns, waiting. Pure: rows and a record in, rows and decisions out."""
