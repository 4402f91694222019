"""What follows from an attempt at delivery, and how it is told. Pure: no channel, no clock, no I/O."""
