"""Dead letters of a whole system: listed, looked at, sent again, and never twice."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from schemas import murmur2_partition
from schemas.event_types import CALLBACKS
from sinks.database.tables import dead_letters, intake_dead_letters
from tests.e2e.messages import in_two_days, opening
from tests.e2e.system import System, system
from tests.support.booking import Booking, customer
from tests.support.kafka import PARTITIONS
from tests.support.waiting import wait_until


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path) as made:
        yield made


def said(road: System, *words: str, status: int = 0) -> str:
    done = road.staffetta("dead-letters", *words)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if status == 0 else done.stderr


def test_pressed_often_sent_once(road: System) -> None:
    """A mail that was refused is listed and shown; sent again, however often, it arrives once, and is listed no
    more."""
    worker, salon = road.ready(), Booking("co-7")
    road.box.plan("RCPT", "550 5.7.1 not today")
    road.send(
        *opening(salon), salon.appointment(starts_at=in_two_days(), customer=customer(email="a@kunde.example"))
    )
    wait_until(lambda: rows(road, dead_letters), "the dead letter in the database", 60)
    [letter] = json.loads(said(road, "list", "--json", "--since", "2h", "--reason", "rejected"))
    id = letter["notification_id"]
    shown = said(road, "show", id)
    assert "not today" in shown
    assert "Subject: " in shown
    assert road.box.mails == []
    worker.leave()
    assert worker.ended() == 0

    assert said(road, "redrive", id) == f"{id}  sent again as redrive 1 on delivery.email\n"
    assert "it was before" in said(road, "redrive", id)
    assert "nothing to send again" in said(road, "redrive", "--all", "--yes")
    with road.database.begin() as connection:  # as if the first press had died before it could note anything
        connection.execute(sa.update(dead_letters).values(redriven=None, redriven_at=None))
    assert "1 dead letter would be sent again" in said(road, "redrive", "--all", status=2)
    assert said(road, "redrive", "--all", "--yes") == f"{id}  sent again as redrive 1 on delivery.email\n"
    assert [event["data"]["redrive"] for event in road.events("delivery.email")] == [0, 1, 1, 1]

    road.ready()
    log = road.check()
    assert [mail.recipient for mail in road.box.mails] == ["a@kunde.example"]
    told = [entry.event["type"].removeprefix("notification.") for entry in log["delivery.outcomes"]]
    assert told == ["failed", "sent"]
    assert said(road, "list") == "There are no dead letters.\n"
    assert said(road, "redrive", id) == f"{id}  has arrived meanwhile: nothing to do\n"
    assert "n-0  is no dead letter" in said(road, "redrive", "n-0", status=1)


def test_corrected_records_are_taken_up(road: System) -> None:
    """A record that could not be read is listed with its reason and shown byte by byte; as it was it is kept back,
    corrected it is applied, and one that only lay in a wrong partition goes to the right one."""
    road.ready()
    salon = Booking("co-7")
    good, misplaced = salon.callback("cb-1"), salon.callback("cb-2")
    home = murmur2_partition(b"co-7", PARTITIONS)
    road.send(*opening(salon))
    road.produce(CALLBACKS, good.key, b'{"specversion": "1.0"', partition=home)
    road.produce(CALLBACKS, misplaced.key, misplaced.value, partition=1 - home)
    road.flush()
    wait_until(lambda: len(rows(road, intake_dead_letters)) == 2, "the dead letters in the database", 60)
    cut_off, elsewhere = f"{CALLBACKS}/{home}/0", f"{CALLBACKS}/{1 - home}/0"
    found = {each["id"]: each["reason"] for each in json.loads(said(road, "list", "--intake", "--json"))}
    assert found == {cut_off: "invalid_json", elsewhere: "wrong_partition"}
    assert said(road, "show", "--intake", cut_off).endswith('{"specversion": "1.0"\n')

    assert "it would be refused as invalid_json" in said(road, "redrive", "--intake", cut_off, status=1)
    corrected = road.folder / "corrected.json"
    corrected.write_bytes(good.value)
    assert "sent again to" in said(road, "redrive", "--intake", cut_off, "--file", str(corrected))
    assert said(road, "redrive", "--intake", "--all", "--yes") == f"{elsewhere}  sent again to {CALLBACKS}\n"

    log = road.check()
    decided = {entry.event["data"]["callback_id"] for entry in log["assignment.decisions"]}
    assert decided == {"cb-1", "cb-2"}
    assert len(road.box.mails) == 2
    assert said(road, "list", "--intake") == "There are no dead letters.\n"


def rows(road: System, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    with road.database.connect() as connection:
        return list(connection.execute(sa.select(table)))
