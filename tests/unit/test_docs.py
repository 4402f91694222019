"""What the documents say is what the program has."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from schemas.event_types import RECEIPTS
from sinks.channels import fcm, twilio, webpush, whatsapp
from sinks.event_lines import EventLine, parse_line
from streams.settings import Settings
from streams.simulator import Rule

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented() -> None:
    """docs/settings.md names every setting, and none that does not exist."""
    text = (ROOT / "docs" / "settings.md").read_text()
    documented = set(re.findall(r"`STAFFETTA_([A-Z_]+[A-Z])`", text))
    assert documented == {name.upper() for name in Settings.model_fields}


def test_example_events_are_accepted() -> None:
    """Every line of docs/first-events.jsonl is an event that `produce` sends."""
    lines = (ROOT / "docs" / "first-events.jsonl").read_bytes().splitlines()
    assert len([parse_line(number, line) for number, line in enumerate(lines, 1)]) == 8


def test_consent_is_entered_as_shown() -> None:
    """Each event for it in docs/operations.md is one that `produce` sends where `deliver` hears it."""
    text = (ROOT / "docs" / "operations.md").read_text()
    lines = re.findall(r'^\{"specversion".*"address\.opted_in".*\}$', text, re.M)
    assert [(line.topic, line.key) for line in map(line_of, lines)] == [(RECEIPTS, b"co-7")] * 2


def line_of(text: str) -> EventLine:
    return parse_line(1, text.encode())


def test_rules_of_the_simulator_are_right() -> None:
    """Every fault shown in docs/simulator.md is one that the simulator takes."""
    text = (ROOT / "docs" / "simulator.md").read_text()
    shown = r"^(?:curl \S+ -d ')?(\{.*\"fault\".*\})'?$|\| `(\{.*\"fault\".*\})` \|$"
    rules = re.findall(shown, text, re.M)
    read = [Rule.model_validate_json(bare or cell) for bare, cell in rules]
    assert len(read) == 25


@pytest.mark.parametrize("codes", [twilio.CODES, whatsapp.CODES], ids=["twilio", "whatsapp"])
def test_every_error_code_is_documented(codes: Mapping[int, object]) -> None:
    """docs/channels.md says of every code that a channel knows what it comes to."""
    text = (ROOT / "docs" / "channels.md").read_text()
    said = {int(code) for code in re.findall(r"\b\d+\b", text)}
    for first, last in re.findall(r"\b(\d+)–(\d+)\b", text):
        said |= set(range(int(first), int(last) + 1))
    assert codes.keys() <= said


def test_every_push_error_is_documented() -> None:
    """docs/channels.md says of every error code of FCM and every status of Web Push what it comes to."""
    text = (ROOT / "docs" / "channels.md").read_text()
    app, browser = text.split("## Push to apps")[1].split("## Push to browsers")
    assert fcm.MEANINGS.keys() <= set(re.findall(r"`([A-Z_]+)`", app))
    assert webpush.MEANINGS.keys() | webpush.ACCEPTED <= {int(each) for each in re.findall(r"\b\d{3}\b", browser)}
