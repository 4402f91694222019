"""The directory, sent again from a real SQLite, PostgreSQL or MariaDB."""

from typing import Any

import pytest
import sqlalchemy as sa

from schemas import EVENT_TYPES, Event, decode
from sinks.database import directory
from tests.support.databases import contents, write
from tests.support.story import Log, branch, recorded, staff

COMPANY = {
    "company_id": "co-1",
    "version": 3,
    "name": "Größe & Söhne",
    "locale": "de",
    "timezone": "Europe/Berlin",
}


def described(log: Log) -> None:
    """Children first, which must not matter; and something of every kind that is gone."""
    preferences = {"company_id": "co-1", "version": 2, "customer_id": "cu-1", "channels": ["email"]}
    log.add("booking.directory", "customer_preferences.upserted", preferences)
    log.add("booking.directory", "staff.upserted", staff("st-1", "Anna") | {"absences": [], "working_hours": {}})
    log.add("booking.directory", "branch.upserted", branch())
    log.add("booking.directory", "company.upserted", COMPANY)
    log.add("booking.directory", "company.upserted", {**COMPANY, "company_id": "co-2"})
    gone = {"company_id": "co-1", "version": 9}
    for kind, name in (
        ("notification_config", "config_id"),
        ("template", "template_id"),
        ("service", "service_id"),
        ("staff", "staff_id"),
        ("customer_preferences", "customer_id"),
    ):
        log.add("booking.directory", f"{kind}.deleted", {**gone, name: "x-1"})


def events(engine: sa.Engine, company_id: str | None = None) -> list[Event]:
    with engine.connect() as connection:
        return [decode(out.topic, out) for out in directory.snapshots(connection, company_id)]


@pytest.mark.parametrize("page", [1, 2, 500])
def test_what_is_sent_again_says_the_same(engine: sa.Engine, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded once more, in a database without rows, the snapshots give the same entities: all of them, parents
    first, with their versions, deletions too."""
    monkeypatch.setattr(directory, "PAGE", page)
    log = Log()
    described(log)
    write(engine, recorded(log.records).rows)
    known = contents(engine)["entities"]
    sent = events(engine)
    kinds = [event.type.partition(".")[0] for event in sent]
    assert kinds == sorted(kinds, key=directory.PARENTS_FIRST.index)
    assert len(sent) == len(known) == len(log.records)
    with engine.begin() as connection:
        assert directory.count(connection, None) == len(known)
        connection.execute(sa.text("DELETE FROM entities"))
    again = Log()
    for event in sent:
        again.add("booking.directory", event.type, event.data.model_dump(by_alias=True, exclude_none=True))
    write(engine, recorded(again.records).rows)
    assert [row[:6] for row in contents(engine)["entities"]] == [row[:6] for row in known]


def test_one_company(engine: sa.Engine) -> None:
    """With a company, only what is its own."""
    log = Log()
    described(log)
    write(engine, recorded(log.records).rows)
    found: list[tuple[str, Any]] = [(event.type, event.company_id) for event in events(engine, "co-2")]
    assert found == [("company.upserted", "co-2")]


def test_every_kind_of_the_directory_is_sent() -> None:
    """No entity of the contract is left out but erasures, which would take away those who came back."""
    kinds = {type.partition(".")[0] for type, kind in EVENT_TYPES.items() if kind.topic == "booking.directory"}
    assert kinds == {*directory.PARENTS_FIRST, "customer"}
