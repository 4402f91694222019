"""Every setting: an environment variable with the prefix `STAFFETTA_`, or a line of `.env`.

A wrong value stops the start with one line that names the variable, what is wrong with it and an example.
Lists are comma-separated. An empty variable counts as not set.
"""

from streams.settings.loading import load_settings, missing
from streams.settings.model import Settings

__all__ = ["Settings", "load_settings", "missing"]
