"""`python -m streams.cli` is `staffetta`."""

from streams.cli import main

main()
