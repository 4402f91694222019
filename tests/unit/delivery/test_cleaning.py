"""Who could not be reached is not in what is told of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.notifications import DeadLetter, Outcome
from streams.policy.delivery.cleaning import without_person
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
