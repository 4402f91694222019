"""What an operator sends again is judged too: each time it comes to one end of its own, however often pressed."""

from collections import Counter
from dataclasses import replace

import orjson
import pytest

from schemas import encode
from schemas.notifications import DeadLetter
from streams.audit import Kind
from streams.clock import utc
from streams.policy.notification.fanout import first_attempt
from tests.support.booking import Booking, customer
from tests.unit.audit.test_examining import Day
from tests.unit.audit.theatre import Theatre, configuration

LETTERS, ENDS = "delivery.dead-letters", "delivery.outcomes"


@pytest.fixture
def theatre() -> Theatre:
    """One mail that was refused."""
    made, salon = Theatre(), Booking("co-1")
    made.send(salon.company(), salon.branch(), salon.service(), salon.staff("st-1"))
    made.send(configuration(salon, "appointment.created"))
    made.send(salon.appointment("ap-1", customer=customer(email="refused@kundin.example")))
    return made


def press(theatre: Theatre, number: int, times: int = 1) -> None:
    """Send the last letter again, as redrive `number`; it is written `times` times."""
    theatre.clock.moment += 60
    at = utc(theatre.clock.moment)
    letter = DeadLetter.model_validate(theatre.log[LETTERS][-1].event["data"], strict=False)
    message = first_attempt(letter, at, number)
    assert message is not None
    value = encode(
        message.type,
        id=message.id,
        source="/staffetta/redrive",
        time=at,
        subject=message.subject,
        company_id=letter.company_id,
        data=message.data,
    )
    for _ in range(times):
        theatre.write(message.topic, letter.company_id.encode(), value)
    theatre.send()


def seen(theatre: Theatre) -> Day:
    return Day({topic: list(entries) for topic, entries in theatre.log.items()}, Counter(theatre.post.accepted))


def ends(day: Day) -> list[str]:
    return [entry.event["type"].removeprefix("notification.") for entry in day.log[ENDS]]


@pytest.mark.parametrize("times", [1, 2])
def test_sent_again(theatre: Theatre, times: int) -> None:
    """What failed, was sent again and arrived is well, and so it is if the button was pressed twice."""
    theatre.post.refused = "nobody"
    press(theatre, 1, times)
    day = seen(theatre)
    assert ends(day) == ["failed", "sent"]
    assert day.findings == []


def test_in_vain_again(theatre: Theatre) -> None:
    """Each redrive may fail like the first time, with a dead letter of its own; the attempts count anew."""
    press(theatre, 1)
    press(theatre, 2)
    day = seen(theatre)
    assert ends(day) == ["failed", "failed", "failed"]
    assert len(day.log[LETTERS]) == 3
    assert day.findings == []


def test_a_redrive_that_came_to_nothing(theatre: Theatre) -> None:
    """What was sent again and has no end of its own is lost."""
    theatre.post.refused = "nobody"
    press(theatre, 1)
    day = seen(theatre)
    day.remove(day.log[ENDS][-1])
    assert day.says(Kind.LOST, "ended 1 times, but was sent again 1 times")


def test_a_redrive_that_was_delivered_twice(theatre: Theatre) -> None:
    """One redrive has one end, and one mail."""
    theatre.post.refused = "nobody"
    press(theatre, 1)
    day = seen(theatre)
    last = day.log[ENDS][-1]
    event = last.event | {"id": "another"}
    day.append(replace(last, value=orjson.dumps(event)))
    day.accepted.update(list(day.accepted))
    assert day.says(Kind.DOUBLED, "was told as notification.sent, notification.sent")
    assert day.says(Kind.DOUBLED, "arrived 2 times, 0 times unconfirmed")


def test_a_redrive_without_its_dead_letter(theatre: Theatre) -> None:
    """A redrive that failed must be there to be sent again once more."""
    press(theatre, 1)
    day = seen(theatre)
    day.remove(day.log[LETTERS][-1])
    assert day.says(Kind.LOST, "failed, and is no dead letter")


def test_our_own_roles_write_once(theatre: Theatre) -> None:
    """Only an operator may write the same event twice."""
    day = seen(theatre)
    day.append(day.log["delivery.email"][-1])
    assert day.says(Kind.DOUBLED, "delivery.email has")
