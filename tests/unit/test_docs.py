"""What the documents say is what the program has."""

import re
from pathlib import Path

from streams.settings import Settings

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented() -> None:
    """docs/settings.md names every setting, and none that does not exist."""
    text = (ROOT / "docs" / "settings.md").read_text()
    documented = set(re.findall(r"`STAFFETTA_([A-Z_]+[A-Z])`", text))
    assert documented == {name.upper() for name in Settings.model_fields}


def test_example_events_are_accepted() -> None:
    """Every line of docs/first-events.jsonl is an event that `produce` sends."""
    from sinks.event_lines import parse_line

    lines = (ROOT / "docs" / "first-events.jsonl").read_bytes().splitlines()
    assert len([parse_line(number, line) for number, line in enumerate(lines, 1)]) == 8
