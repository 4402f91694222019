"""What the log says of what the lane did."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from streams import app
from streams.app import IGNORED_EVERY, IGNORED_NAMED, Observer
from streams.batch import Batch, Effects
from streams.state import State

NAMED = "event type is not known here and is passed over"


def test_unknown_event_types_do_not_flood_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is named once a minute, so many of them and no more; then one line says that there are others."""
    seconds, nothing = 1000.0, Batch(State(0, ()), [], 0.0)
    monkeypatch.setattr(app.time, "monotonic", lambda: seconds)  # type: ignore[attr-defined]
    settings: Any = None
    observer = Observer(settings)

    def ignore(*types: str) -> list[tuple[str, str | None]]:
        with capture_logs() as lines:
            for each in types:
                observer.applied(nothing, Effects(ignored={("booking.callbacks", each)}), 0.0)
        return [(line["event"], line.get("type")) for line in lines]

    assert ignore("praised", "praised", "blamed") == [(NAMED, "praised"), (NAMED, "blamed")]
    *named, last = ignore(*(f"type-{n}" for n in range(10 * IGNORED_NAMED)))
    assert named == [(NAMED, f"type-{n}") for n in range(IGNORED_NAMED - 2)]
    assert last == ("more event types are not known here than are named", None)
    seconds += IGNORED_EVERY
    assert ignore("praised") == [(NAMED, "praised")]
