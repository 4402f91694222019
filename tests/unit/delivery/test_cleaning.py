"""Who could not be reached is not in what is told of it."""

import html
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.notifications import DeadLetter, Outcome
from streams.policy.delivery.cleaning import without_person, without_quotations
from streams.policy.delivery.results import Accepted
from tests.unit.delivery.support import Worker
from tests.unit.delivery.test_attempts import answer, ask
from tests.unit.delivery.test_receipts import hear

word = st.from_regex(r"\A[a-zäöüß]{2,12}\Z")
SERVERS_WORDS = ("mailbox", "unavailable", "unknown", "quota")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("jane.doe: mailbox unavailable", "…: mailbox unavailable"),
        ("550 5.1.1 <JANE.DOE> unknown", "550 5.1.1 <…> unknown"),
        ("Doe, Jane: over quota", "…, …: over quota"),
        ("user jane_doe (Jane Doe) moved", "user …_… (…) moved"),
        ("jane.doe%40example.com: no", "…%40example.com: no"),
        ("no such user: jane", "no such user: …"),
        ("janette is not doering", "janette is not doering"),
        ("550 mailbox full", "550 mailbox full"),
    ],
)
def test_a_person_is_not_named(said: str, told: str) -> None:
    """Neither in full nor in part; longer words that only begin like it stay, and so do codes."""
    assert without_person(said, "jane.doe@example.com", "Jane Doe") == told


def test_codes_and_numbers() -> None:
    """A server's code stays, though it may stand in an address; somebody's number does not."""
    assert without_person("550 5.1.1 no anna", "anna.550@example.com", "Anna") == "550 5.1.1 no …"
    assert without_person("4915112345678 unknown", "+4915112345678", "A") == "… unknown"
    assert without_person("30008", "+4915112345678", "Anna") == "30008"


LETTER = "Guten Tag Frau Müller,\nIhr Termin am 22.11. um 14:30 Uhr\nbei Paul ist gebucht 😀"


@pytest.mark.parametrize(
    "quoted",
    [
        LETTER,
        LETTER.upper(),
        LETTER.replace("\n", " "),
        LETTER[:40],
        LETTER[30:],
        json.dumps(LETTER),
        html.escape(LETTER).replace("ü", "&uuml;"),
        quote(LETTER),
        "".join(f"<p>{line}</p>" for line in LETTER.splitlines()),
    ],
)
def test_a_message_is_not_quoted(quoted: str) -> None:
    """In whatever form: no three words of it are left in a row, and what the server says about it stays."""
    told = without_quotations(f"code 30007: message {quoted} was blocked by the carrier", [LETTER])
    assert told.startswith("code 30007: message ")
    assert told.endswith(" was blocked by the carrier")
    assert "Termin" not in told
    assert "Müller" not in told
    assert "😀" not in told or "Paul" not in told


@pytest.mark.parametrize("text", ["Hallo", "Bis morgen"])
def test_a_short_message_is_not_quoted(text: str) -> None:
    """All of it is taken out, and not a word of it that stands in other company."""
    assert without_quotations(f"not delivered: {text}!", [text]) == "not delivered: …!"
    assert without_quotations("Hallosen, bis dann", [text]) == "Hallosen, bis dann"


@given(st.text(), st.lists(st.text()))
def test_whatever_is_said(text: str, sources: list[str]) -> None:
    """It can always be recorded, and is not changed where nothing is quoted."""
    without_quotations(text, sources).encode()
    words = re.fullmatch(r"[\w .:!?-]*", text)
    assert words is None or without_quotations(text, []) == text


def test_nobody() -> None:
    """Without an address and a name nothing is taken out."""
    assert without_person("a b  c", "", "") == "a b  c"


@given(
    st.lists(word, min_size=1, max_size=3),
    st.lists(word, min_size=1, max_size=3),
    st.sampled_from([".", "_", "-", "+"]),
    st.lists(st.sampled_from(["{local}", "{name}", "<{local}>", "{local}:", "({name})", "mailbox", "quota"])),
)
def test_no_word_of_theirs_is_left(local: list[str], name: list[str], joint: str, parts: list[str]) -> None:
    """Whatever a server makes of them."""
    theirs = {"local": joint.join(local), "name": " ".join(name).title()}
    told = without_person(" ".join(parts).format(**theirs), f"{theirs['local']}@example.com", theirs["name"])
    assert not {each.lower() for each in [*local, *name]} & set(re.split(r"[\W_]+", told.lower()))


def test_a_bounce_that_names_them() -> None:
    """Neither the outcome nor the dead letter says who it was, and whatever was said besides is kept."""
    worker = Worker()
    ask(worker)
    answer(worker, Accepted("<m>"))
    hear(worker, "bounced", channel="email", attempt=0, error="550 anna: mailbox of Müller unavailable")
    outcome, letter = (event.data for event in worker.events[-2:])
    assert isinstance(outcome, Outcome)
    assert isinstance(letter, DeadLetter)
    assert outcome.error == letter.error == letter.attempts[0].error == "550 …: mailbox of … unavailable"


def test_a_bounce_of_what_was_delivered() -> None:
    """Nor does a failure that is told and no more."""
    worker = Worker()
    ask(worker)
    answer(worker, Accepted("<m>"))
    hear(worker, "delivered", channel="email", attempt=0)
    hear(worker, "failed", channel="email", attempt=0, error="anna is away")
    outcome = worker.events[-1].data
    assert isinstance(outcome, Outcome)
    assert outcome.error == "… is away"
