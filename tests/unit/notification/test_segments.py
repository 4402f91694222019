"""SMS as the network counts and bills them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.policy.notification.segments import BASIC, EXTENSION, MOST, Encoding, count, fitted, format_of

words = st.lists(st.text("abcäß€^😀一…’ ", min_size=1, max_size=90), max_size=40).map(" ".join)
texts = st.text(max_size=900) | words | st.text("ab ", max_size=900) | st.text("😀", max_size=200)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),  # 2 x 153
        ("a" * 307, 3),
        ("a" * 459, 3),
        ("a" * 460, 4),
        ("ä" * 160, 1),
        ("€" * 80, 1),  # 2 septets each
        ("€" * 81, 2),
        ("€" * 153, 3),  # 76 fit into 153 septets, the 77th is not divided
        ("a" * 152 + "€" * 5, 2),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),  # 2 x 67
        ("я" * 135, 3),
        ("😀" * 35, 1),  # 2 units each
        ("😀" * 36, 2),
        ("😀" * 66, 2),  # 33 fit into 67 units, the 34th is not divided
        ("😀" * 67, 3),
    ],
)
def test_count(text: str, segments: int) -> None:
    """160 septets or 70 units are one segment; of several each has room for 153 or 67, and no character is
    divided."""
    assert count(text) == segments


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Grüße aus Köln, 5 € [ja]", Encoding.GSM_7),
        ("ÄÖÜäöüß\n@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæÉ¡¿§à", Encoding.GSM_7),
        ("ç", Encoding.UCS_2),
        ("`", Encoding.UCS_2),
        ("…", Encoding.UCS_2),
        ("Привет", Encoding.UCS_2),
    ],
)
def test_alphabet(text: str, encoding: Encoding) -> None:
    """German is 7-bit, with a Euro sign of two septets; what GSM 03.38 lacks makes the whole message UCS-2."""
    assert format_of(text).encoding is encoding


def test_alphabet_is_whole() -> None:
    """128 places, but for the escape, and ten extensions."""
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION


@pytest.mark.parametrize(
    ("text", "simpler"),
    [
        ("„Termin“ – bis bald…", '"Termin" - bis bald...'),
        ("Rock’n’Roll\u00a0Salon", "Rock'n'Roll Salon"),
        ("„Привет“", "„Привет“"),
    ],
)
def test_typography(text: str, simpler: str) -> None:
    """Typographic signs are written simpler where that makes the message 7-bit, and else left alone."""
    assert fitted(text) == simpler


def test_cut_at_a_word() -> None:
    """A long text ends with a whole word and dots that belong to its alphabet."""
    german = fitted("Grüße " * 100)
    assert german == "Grüße " * 75 + "Grüße..."  # 450 + 8 of 459 septets
    russian = fitted("Привет " * 40)
    assert russian == "Привет " * 27 + "Привет…"  # 189 + 7 of 201 units
    assert (count(german), count(russian)) == (3, 3)


@given(texts)
@example("x" * 457 + " y z")
@example(" " * 500)
@example("a" * 458 + "€" * 2)
@example("😀" * 101)
def test_never_more_than_three_segments(text: str) -> None:
    """Whatever the text, it is left as it is or cut to at most three segments: a prefix, and the ellipsis."""
    sent = fitted(text)
    assert count(sent) <= MOST
    assert fitted(sent) == sent
    sent.encode("utf-16-le")  # raises on half a pair
    if format_of(sent).encoding is Encoding.UCS_2:
        assert sent == text or (sent.endswith("…") and text.startswith(sent[:-1]))


@given(st.text("abcäöü€ ", min_size=460, max_size=900))
def test_what_is_cut(text: str) -> None:
    """Of a long text a prefix is kept that ends a word, and as much as fits: the next word would be too much."""
    sent = fitted(text)
    if count(text) <= MOST:
        assert sent == text
        return
    kept = sent.removesuffix("...")
    assert text.startswith(kept)
    if not kept or " " not in text[: len(kept) + 1].strip():
        return
    rest = text[len(kept) :]
    assert not rest or rest[0] == " " or " " not in kept
    if rest[0] == " ":
        blanks = len(rest) - len(rest.lstrip())
        word = rest.lstrip().partition(" ")[0]
        assert count(kept + rest[:blanks] + word + "...") > MOST
