"""What a push message says, and that it fits."""

import dataclasses
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sinks.channels.base import Message
from sinks.channels.pushing.content import TITLE_BYTES, fitted, topic, ttl_seconds, within

PARTS = st.sampled_from(
    ["a", " ", "ü", "€", "\n", '"', "\\", "\x01", "u\u0308", "😀", "👩‍👩‍👧", "👍🏽", "🇩🇪", "❤️"]
)
TEXT = st.lists(PARTS, max_size=80).map("".join) | st.text(max_size=300)


def size(text: str) -> int:
    return len(orjson.dumps(text)) - 2


def message(text: str = "Guten Tag", *, subject: str = "Ihr Termin", notification_id: str = "n-1") -> Message:
    return Message("co-7", notification_id, "token", "Anna", text, datetime(2026, 11, 22, tzinfo=UTC), subject)


@given(TEXT, st.integers(0, 400))
@example("😀" * 10, 4)
@example("🇩🇪" * 10, 12)
def test_cut(text: str, room: int) -> None:
    """A text that fits is left alone; one that does not is cut to what fits, between characters, as long as there
    is room for an ellipsis."""
    cut = within(text, room)
    assert size(cut) <= room
    if size(text) <= room:
        assert cut == text
    elif room >= 3:
        assert cut.endswith("…")
        assert text.startswith(cut[:-1])
    else:
        assert cut == ""


@pytest.mark.parametrize(
    ("text", "room", "cut"),
    [
        ("Müller", 7, "Müller"),  # 5 letters of one byte and one of two
        ("Müller", 6, "Mü…"),  # 1 + 2 + 3
        ("Müller", 5, "M…"),
        ("abcdef", 5, "ab…"),
        ("ab\n\n\n\n", 9, "ab…"),  # a line break is two bytes; blanks before the ellipsis go
        ("a👍🏽bcde", 11, "a…"),  # the skin tone goes with its hand
        ("a👍🏽bcde", 12, "a👍🏽…"),  # 1 + 8 + 3
        ("👩‍👩‍👧!!!!", 20, "…"),  # a family of 18 bytes is not torn apart
        ("🇩🇪🇫🇷", 15, "🇩🇪…"),  # nor is half a flag left
        ("u\u0308u\u0308u\u0308", 7, "u\u0308…"),  # 3 + 3; not a bare u
        ("abc", 2, ""),
    ],
)
def test_boundaries(text: str, room: int, cut: str) -> None:
    """Bytes are counted, and what people see as one character stays one."""
    assert within(text, room) == cut


def test_lone_surrogates() -> None:
    """What is no Unicode text is made one."""
    assert within("a\ud800b", 100) == "a?b"


@given(TEXT, TEXT, st.integers(40, 4096))
def test_fitted(title: str, text: str, limit: int) -> None:
    """Whatever it says, it has at most so many bytes; where even its frame has more, there is none."""

    def form(title: str, text: str) -> bytes:
        return orjson.dumps({"title": title, "body": text})

    body = fitted(message(text, subject=title), limit, form)
    assert body is None or len(body) <= limit
    if limit >= TITLE_BYTES + 30:
        assert body is not None
        assert (
            text.startswith(orjson.loads(body)["body"].rstrip("…").rstrip()) or "\ud800" <= max(text) <= "\udfff"
        )


def test_whole_text_where_it_fits() -> None:
    """To the last byte."""
    body = fitted(message("ü" * 30), 100, lambda title, text: (title + text).encode())
    assert body == ("Ihr Termin" + "ü" * 30).encode()


@given(st.text(max_size=64), st.text(max_size=64))
def test_topic(first: str, other: str) -> None:
    """The same for a repeat, another for another notification; 32 characters that a header can hold."""
    one = topic(message(notification_id=first.encode(errors="replace").decode()))
    assert one == topic(message("something else", notification_id=first.encode(errors="replace").decode()))
    two = topic(message(notification_id=other.encode(errors="replace").decode()))
    assert (one == two) is (first.encode(errors="replace") == other.encode(errors="replace"))
    assert len(one) == 32
    assert set(one) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


@pytest.mark.parametrize(
    ("given", "seconds"), [(None, 2_419_200), (3600.9, 3600), (0.4, 0), (-5.0, 0), (10.0**9, 2_419_200)]
)
def test_ttl(given: float | None, seconds: int) -> None:
    """In whole seconds, at most the four weeks that providers take, which also stand for no end at all."""
    assert ttl_seconds(dataclasses.replace(message(), ttl_seconds=given)) == seconds
