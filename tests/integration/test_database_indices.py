"""What operators ask of the record is answered from an index, not by reading whole tables."""

from typing import Any

import pytest
import sqlalchemy as sa

from sinks.database import letters
from sinks.database.letters import Filter
from sinks.database.tables import callbacks, dead_letters, decisions, metadata, notifications, outcomes
from tests.support.databases import write
from tests.support.story import Log, at, callback, decision, outcome, recorded, request

QUESTIONS: dict[str, tuple[str, str, sa.Select[Any]]] = {
    "what did a customer get": (
        "notifications",
        "notifications_of_recipient",
        sa.select(notifications.c.event_type, notifications.c.status)
        .where(notifications.c.company_id == "co-1", notifications.c.recipient_id == "cu-7")
        .order_by(notifications.c.requested_at),
    ),
    "what failed today, by reason": (
        "notifications",
        "notifications_by_status",
        sa.select(notifications.c.reason, sa.func.count())
        .where(notifications.c.status == "failed", notifications.c.status_at >= at(1400))
        .group_by(notifications.c.reason),
    ),
    "which notifications wait": (
        "notifications",
        "notifications_by_status",
        sa.select(notifications.c.notification_id).where(
            notifications.c.status.in_(["requested", "retrying", "unconfirmed"])
        ),
    ),
    "which callbacks wait": (
        "callbacks",
        "callbacks_waiting",
        sa.select(callbacks.c.callback_id).where(
            callbacks.c.last_decision == "callback.waiting", callbacks.c.status == "pending"
        ),
    ),
    "what was decided about a callback": (
        "decisions",
        "decisions_of_callback",
        sa.select(decisions.c.type)
        .where(decisions.c.callback_id == "cb-7", decisions.c.company_id == "co-1")
        .order_by(decisions.c.offset),
    ),
    "who was told of a callback": (
        "notifications",
        "notifications_of_entity",
        sa.select(notifications.c.notification_id).where(
            notifications.c.entity_id == "cb-7",
            notifications.c.company_id == "co-1",
            notifications.c.entity_type == "callback",
        ),
    ),
    "what did a customer ask for": (
        "callbacks",
        "callbacks_of_customer",
        sa.select(callbacks.c.callback_id).where(
            callbacks.c.customer_id == "cu-7", callbacks.c.company_id == "co-1"
        ),
    ),
    "what was given up lately": (
        "dead_letters",
        "dead_letters_by_time",
        letters.wanted(Filter(since=at(1400))),
    ),
    "what could not be read lately": (
        "intake_dead_letters",
        "intake_dead_letters_by_time",
        letters.wanted_intake(Filter(since=at(1400))),
    ),
    "a dead letter": (
        "dead_letters",
        "primary",
        sa.select(dead_letters.c.reason).where(dead_letters.c.notification_id == "n-7"),
    ),
    "a decision": ("decisions", "primary", sa.select(decisions.c.type).where(decisions.c.decision_id == "d-7")),
    "a callback": ("callbacks", "primary", sa.select(callbacks.c.status).where(callbacks.c.callback_id == "cb-7")),
    "a notification's attempts": (
        "outcomes",
        "primary",
        sa.select(outcomes.c.type).where(outcomes.c.notification_id == "n-7", outcomes.c.company_id == "co-1"),
    ),
}


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    """1000 callbacks, each decided, told and recorded as sent, but for a few; and letters of both kinds."""
    log = Log()
    for n in range(1000):
        about = {"type": "callback", "id": f"cb-{n}", "version": 1}
        reader = {"type": "customer", "id": f"cu-{n}", "name": "", "email": "a@example.org"}
        odd = n % 50 == 0
        whose = {"customer_id": f"cu-{n}", "name": ""}
        log.add("booking.callbacks", "callback.requested", callback(callback_id=f"cb-{n}", customer=whose))
        kind = "callback.waiting" if odd else "callback.auto_assigned"
        log.add("assignment.decisions", kind, decision(f"d-{n}", callback_id=f"cb-{n}"))
        about_it = {"entity": about, "audience": "customer", "event_type": "callback.received"}
        told = request(f"n-{n}", recipient=reader, **about_it)
        log.add("notification.requests", "notification.requested", told)
        kind = "notification.failed" if odd else "notification.sent"
        log.add("delivery.outcomes", kind, outcome(f"n-{n}", entity=about, at=at(n + 500)), id=f"o-{n}")
        letter = told | {"reason": "rejected"}
        log.add("delivery.dead-letters", "notification.dead_lettered", letter, minutes=n + 500)
        log.refuse("booking.callbacks", b"no", offset=n, minutes=n + 500)
    write(engine, recorded(log.records).rows)
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            # As the servers do by themselves; SQLite does not.
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"ANALYZE {table.name}")
            elif engine.dialect.name == "mysql":
                connection.exec_driver_sql(f"ANALYZE TABLE {table.name}")
        connection.commit()
    return engine


def indices_used(engine: sa.Engine, question: sa.Select[Any]) -> str:
    """The names of the indices in the database's plan; its own name for a primary key's."""
    words = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    statement = question.compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{words}{statement}").all()
    if engine.dialect.name == "mysql":
        return " ".join(str(row.key) for row in rows)
    return "\n".join(str(row[-1]) for row in rows)


PRIMARY = {"sqlite": "sqlite_autoindex_{}_1", "postgresql": "{}_pkey", "mysql": "PRIMARY"}


def test_questions_use_an_index(filled: sa.Engine) -> None:
    """Each question is answered from the index that was made for it."""
    missed = {}
    for question, (table, index, statement) in QUESTIONS.items():
        wanted = PRIMARY[filled.dialect.name].format(table) if index == "primary" else index
        used = indices_used(filled, statement)
        if wanted not in used:
            missed[question] = used
    assert not missed
