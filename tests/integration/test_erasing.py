"""Customers who are to be forgotten, in a real SQLite, PostgreSQL and MariaDB."""

import random
from collections import defaultdict, deque
from typing import Any

import sqlalchemy as sa

from sinks.database.erasing import ERASED
from sinks.database.letters import Filter, letters, to_redrive
from streams.cli.redriving import hindrance
from tests.support.databases import clear, contents, write
from tests.support.kafka import Entry
from tests.support.story import Log, callback, outcome, recorded, request, story

ERIKA = {"customer_id": "cu-9", "name": "Erika Muster", "email": "erika@kundin.example"}
READER = {"type": "customer", "id": "cu-9", "name": "Erika Muster", "email": "erika@kundin.example"}
HER = ("erika", "Erika", "cu-9")
NOON, LATER = 0, 60
"""Minutes: what is from before, and what she has asked for anew. In between she is erased."""


def told(log: Log, id: str, minutes: int, **fields: Any) -> None:
    """A notification for her that a server refuses by name."""
    about = {"recipient": READER, "audience": "customer", "event_type": "callback.received"} | fields
    said = "550 <erika@kundin.example> is unknown"
    log.add("notification.requests", "notification.requested", request(id, **about), minutes=minutes)
    log.add(
        "delivery.outcomes", "notification.failed", outcome(id, reason="rejected", error=said), minutes=minutes
    )
    letter = request(id, reason="rejected", error=said, **about)
    log.add("delivery.dead-letters", "notification.dead_lettered", letter, minutes=minutes)


def preferences(version: int) -> dict[str, Any]:
    return {"company_id": "co-1", "customer_id": "cu-9", "version": version, "locale": "de"}


def before(log: Log) -> None:
    log.add("booking.directory", "customer_preferences.upserted", preferences(3))
    log.add("booking.callbacks", "callback.requested", callback(callback_id="cb-9", customer=ERIKA))
    told(log, "n-9", NOON)


def erased(log: Log, minutes: int = 30) -> None:
    data = {"company_id": "co-1", "customer_id": "cu-9"}
    log.add("booking.directory", "customer.erased", data, minutes=minutes)


def anew(log: Log) -> None:
    log.add("booking.directory", "customer_preferences.upserted", preferences(4), minutes=LATER)
    log.add(
        "booking.callbacks", "callback.requested", callback(callback_id="cb-10", customer=ERIKA), minutes=LATER
    )
    told(log, "n-10", LATER)


def fill(engine: sa.Engine, log: Log) -> None:
    write(engine, recorded(log.records).rows)


def rows(engine: sa.Engine) -> list[tuple[str, tuple[Any, ...]]]:
    """All but the note that she is to be forgotten."""
    return [
        (table, row)
        for table, found in contents(engine).items()
        for row in found
        if not (table == "entities" and row[1] == "customer")
    ]


def naming_her(engine: sa.Engine) -> list[tuple[str, tuple[Any, ...]]]:
    """The key of her preferences stays, so that no older version brings them back."""
    found = [(table, row) for table, row in rows(engine) if any(word in str(row) for word in HER)]
    return [each for each in found if not (each[0] == "entities" and each[1][4:6] == (True, None))]


def test_the_person_is_gone(engine: sa.Engine) -> None:
    """No row names her any more; the rows are all there, and so is everybody else."""
    others = story()
    fill(engine, others)
    everybody_else = rows(engine)
    log = Log()
    log.records, log._ends = [], others._ends
    before(log)
    fill(engine, log)
    many = len(rows(engine))
    assert len(naming_her(engine)) >= 5
    log.records = []
    erased(log)
    fill(engine, log)
    assert naming_her(engine) == []
    assert len(rows(engine)) == many
    assert set(map(str, everybody_else)) <= set(map(str, rows(engine)))
    found = contents(engine)
    assert ERASED in next(row for row in found["callbacks"] if row[0] == "cb-9")
    assert ERASED in next(row for row in found["notifications"] if row[0] == "n-9")


def test_what_she_asks_for_anew_stays(engine: sa.Engine) -> None:
    """What the booking system says of her after the erasure is recorded as ever; repeats of it and of the erasure
    change nothing, and a second erasure takes that too."""
    log = Log()
    before(log)
    erased(log)
    anew(log)
    fill(engine, log)
    known = contents(engine)
    kept = {str(row[0]) for table, row in naming_her(engine) if table in {"callbacks", "notifications"}}
    assert kept == {"cb-10", "n-10"}
    for entry in log.records:
        write(engine, recorded([entry]).rows)
    assert contents(engine) == known
    log.records = []
    erased(log, LATER)
    fill(engine, log)
    assert naming_her(engine) == []


def test_in_whatever_order_it_is_read(engine: sa.Engine, rng: random.Random) -> None:
    """Topics are read side by side: however they overtake each other, and however they are cut into batches, the
    same is left."""
    log = Log()
    before(log)
    erased(log)
    anew(log)
    fill(engine, log)
    expected = contents(engine)
    for _ in range(8):
        clear(engine)
        order = shuffled(log.records, rng)
        while order:
            size = rng.randrange(1, len(order) + 1)
            write(engine, recorded(order[:size]).rows)
            order = order[size:]
        assert contents(engine) == expected


def shuffled(records: list[Entry], rng: random.Random) -> list[Entry]:
    """Each topic in its own order."""
    waiting: dict[str, deque[Entry]] = defaultdict(deque)
    for entry in records:
        waiting[entry.topic].append(entry)
    order = []
    while waiting:
        topic = rng.choice(sorted(waiting))
        order.append(waiting[topic].popleft())
        if not waiting[topic]:
            del waiting[topic]
    return order


def test_what_a_colleague_is_told_of_her_goes(engine: sa.Engine, rng: random.Random) -> None:
    """A message to a colleague that names her loses text and error with her; who was told stays, and so does what
    colleagues are told of somebody else. In whatever order it is read."""
    log = Log()
    colleague = {"recipient": {"type": "staff", "id": "st-1", "name": "Anna"}, "audience": "staff"}
    texts = {"email": {"body_text": "Erika Muster", "template": {"template_id": "t", "version": 0}}}
    staff = {**colleague, "contents": texts, "event_type": "callback.assigned"}
    told(log, "n-1", NOON, customer_id="cu-9", **staff)
    fill(engine, log)
    assert len(naming_her(engine)) == 3
    told(log, "n-2", LATER, customer_id="cu-9", **staff)
    told(log, "n-3", NOON, customer_id="cu-8", **staff)
    erased(log)
    for _ in range(8):
        clear(engine)
        order = shuffled(log.records, rng)
        while order:
            size = rng.randrange(1, len(order) + 1)
            write(engine, recorded(order[:size]).rows)
            order = order[size:]
        found = contents(engine)
        assert {row[0] for row in found["notifications"] if "st-1" in row} == {"n-1", "n-2", "n-3"}
        assert {row[0] for row in found["dead_letters"] if "Erika" in str(row)} == {"n-2", "n-3"}
        assert {row[0] for row in found["outcomes"] if "erika" in str(row)} == {"n-2", "n-3"}
    with engine.connect() as connection:
        assert {key.notification_id for key in to_redrive(connection, Filter())} == {"n-2", "n-3"}


def test_a_colleague_of_the_same_id_stays(engine: sa.Engine) -> None:
    """Ids of customers and of staff are not the same things."""
    log = Log()
    told(log, "n-1", NOON, audience="staff", recipient={**READER, "type": "staff"}, event_type="callback.assigned")
    erased(log)
    fill(engine, log)
    assert {table for table, _ in naming_her(engine)} == {"notifications", "outcomes", "dead_letters"}


def test_another_company_is_another_matter(engine: sa.Engine) -> None:
    """An erasure is one company's."""
    log = Log()
    before(log)
    log.add("booking.directory", "customer.erased", {"company_id": "co-2", "customer_id": "cu-9"}, minutes=30)
    fill(engine, log)
    assert len(naming_her(engine)) >= 5


def test_nothing_is_left_to_send_again(engine: sa.Engine) -> None:
    """A letter whose person is gone is shown as such and not sent again."""
    log = Log()
    before(log)
    erased(log)
    fill(engine, log)
    with engine.connect() as connection:
        assert to_redrive(connection, Filter()) == []
        [letter] = letters(connection, "n-9")
    assert letter["data"] == {}
    verdict = hindrance(letter)
    assert verdict is not None
    assert not verdict.is_well
    assert "has been erased" in verdict.said
