"""The role `record`: what each message says about which rows."""

from typing import Any

from agents.record import Recorder
from sinks.database.mapping import TOPICS
from streams.batch import Effects
from streams.state import State
from tests.support.story import Log, at, branch, callback, decision, outcome, recorded, story


def rows(log: Log) -> list[tuple[str, dict[str, Any]]]:
    return [(row.facet.table.name, dict(row.values)) for row in recorded(log.records).rows]


def test_every_column_has_a_value() -> None:
    """Each row names every column that its message speaks of, and no other."""
    for facet, values in recorded(story().records).rows:
        assert set(values) == set(facet.columns)


def test_the_story_reaches_every_table_and_topic() -> None:
    """Each recorded topic leads to rows."""
    log = story()
    assert {entry.topic for entry in log.records} == set(TOPICS)
    assert {table for table, _ in rows(log)} == {
        *("entities", "callbacks", "callback_events", "decisions"),
        *("notifications", "outcomes", "dead_letters", "intake_dead_letters"),
    }


def test_what_cannot_be_read_is_passed_over() -> None:
    """Unreadable records leave no row, no dead letter and no count, and do not hold up what follows."""
    log = Log()
    good = log.add("booking.callbacks", "callback.requested", callback())
    unknown = (good.value or b"").replace(b"callback.requested", b"callback.dreamt")
    bad = [
        good._replace(offset=1, value=b"\x00"),
        good._replace(offset=2, value=None),
        good._replace(offset=3, key=b"co-2"),
        good._replace(offset=4, value=unknown),
    ]
    state = State(0, ())
    effects = recorded([*bad, good._replace(offset=5)], state)
    assert [row.facet.table.name for row in effects.rows] == ["callbacks", "callback_events"]
    assert effects.outputs == []
    assert effects.ignored == set()
    assert state.positions == {"booking.callbacks": 6}


def test_of_dead_letters_there_are_no_dead_letters() -> None:
    """What cannot be read among the intake's dead letters is passed over and counted; what cannot be decoded in
    one that can be read is kept as it is."""
    log = Log()
    good = log.refuse("booking.callbacks", b"no CloudEvent")
    odd = (good.value or b"").replace(b'"bm8gQ2xvdWRFdmVudA=="', b'"no base64"')
    records = [good._replace(value=b"nonsense"), good._replace(offset=1, value=odd), good._replace(offset=2)]
    effects = recorded(records)
    assert [row.values["value"] for row in effects.rows] == [b"no base64", b"no CloudEvent"]
    assert effects.outputs == []
    assert effects.counted == {
        ("staffetta_intake_total", "intake.dead-letters", "ignored"): 1,
        ("staffetta_intake_total", "intake.dead-letters", "applied"): 2,
    }
    effects = Effects()
    Recorder(1).poison("intake.dead-letters", good, "ValueError: no", effects)
    assert effects.outputs == []
    assert effects.counted == {("staffetta_intake_total", "intake.dead-letters", "ignored"): 1}
    Recorder(1).poison("delivery.outcomes", good, "ValueError: no", effects)
    assert [output.topic for output in effects.outputs] == ["intake.dead-letters"]


def test_a_refused_template_is_no_snapshot() -> None:
    """A template that is refused for its text leaves the version before it, which is in force, the newest."""
    log = Log()
    for version, text in enumerate(("Hallo {{ customer_name }}", "Hallo {{ customer_nmae }}"), 1):
        data = {"company_id": "co-1", "template_id": "t-1", "version": version, "channel": "sms", "locale": "de"}
        log.add("booking.directory", "template.upserted", {**data, "body_text": text})
    assert [(table, values["version"]) for table, values in rows(log)] == [("entities", 1)]


def test_a_deleted_entity_keeps_its_version() -> None:
    """A deletion leaves the version, and nothing of the entity."""
    log = Log()
    data = {"company_id": "co-1", "branch_id": "br-1", "version": 4}
    log.add("booking.directory", "branch.deleted", data, minutes=7)
    assert rows(log) == [
        (
            "entities",
            {
                "company_id": "co-1",
                "type": "branch",
                "entity_id": "br-1",
                "version": 4,
                "is_deleted": True,
                "data": None,
                "changed_at": at(7),
            },
        )
    ]


def test_entities_are_whole() -> None:
    """The directory can be sent again from the database: an entity is stored as it was received."""
    log = Log()
    log.add("booking.directory", "branch.upserted", branch())
    [(_, values)] = rows(log)
    assert values["data"] == {**branch(), "notify": "all", "extra": {}}


def test_entity_ids_of_every_kind() -> None:
    """Companies, preferences and configurations are found by the ids that they have."""
    log = Log()
    log.add(
        "booking.directory",
        "company.upserted",
        {"company_id": "co-1", "version": 1, "name": "A", "locale": "de", "timezone": "UTC"},
    )
    log.add(
        "booking.directory",
        "customer_preferences.upserted",
        {"company_id": "co-1", "version": 1, "customer_id": "cu-1"},
    )
    deleted = {"company_id": "co-1", "version": 1, "config_id": "cf-1"}
    log.add("booking.directory", "notification_config.deleted", deleted)
    found = [(values["type"], values["entity_id"]) for _, values in rows(log)]
    assert found == [("company", "co-1"), ("customer_preferences", "cu-1"), ("notification_config", "cf-1")]


def test_a_refused_command_leaves_the_callback_as_it_was() -> None:
    """A refusal is a decision, but not the callback's last one."""
    log = Log()
    refused = decision(reason="not_open", chosen_by=None, staff_id=None, staff_name=None)
    log.add("assignment.decisions", "callback.command_refused", refused)
    assert [table for table, _ in rows(log)] == ["decisions"]


def test_a_suppression_at_routing_describes_itself() -> None:
    """What was suppressed before there was a request still tells what it was about."""
    log = Log()
    suppressed = outcome(
        reason="disabled",
        event_type="callback.assigned",
        audience="staff",
        config={"config_id": "cf-1", "level": "branch", "version": 2},
    )
    log.add("delivery.outcomes", "notification.suppressed", suppressed)
    notification: dict[str, Any] = {}
    for table, values in rows(log):
        if table == "notifications":
            notification |= values
    told = ("status", "reason", "event_type", "audience", "config_id", "config_level", "config_version")
    assert [notification[name] for name in told] == [
        *("suppressed", "disabled", "callback.assigned", "staff"),
        *("cf-1", "branch", 2),
    ]


def test_no_text_and_no_address_outside_dead_letters() -> None:
    """Names, addresses and texts of people who are told are in dead letters only, to be sent again from there."""
    for table, values in rows(story()):
        if table not in {"dead_letters", "intake_dead_letters", "entities"}:
            assert "example.org" not in str(values)
            assert "Müßig" not in str(values)
