"""`staffetta demo`: one seeded day of a German chain, played in about a minute, with faults, and then checked."""
