"""Reminders: when they fall due, what moves and removes them, and that nobody is reminded twice."""

import copy
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import Event
from streams.batch import Batch
from streams.policy.notification import replanning
from streams.policy.notification.identity import notification_id
from streams.policy.notification.reminders import WRITTEN_AT_ONCE
from tests.unit.notification.world import (
    COMPANY,
    START,
    VISIT,
    FakeRecord,
    World,
    appointment,
    branch,
    company,
    config,
    customer,
    outline,
    requests,
    service,
    staff,
    suppressions,
)

REMINDER = "appointment.reminder"
DUE = VISIT - timedelta(days=1)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "UTC")


def world(*configs: dict[str, Any], zone: str = "Europe/Berlin") -> World:
    """A branch in `zone` where nothing but reminders is told."""
    opened = World()
    for type, data in (
        ("company.upserted", company()),
        ("branch.upserted", branch(timezone=zone)),
        ("service.upserted", service()),
        ("staff.upserted", staff()),
    ):
        opened.send(type, data)
    for each in configs or (reminder(),):
        opened.send("notification_config.upserted", each)
    return opened


def reminder(config_id: str = "r-1", **fields: Any) -> dict[str, Any]:
    return config(REMINDER, config_id, **fields)


def moments(opened: World, until: datetime = VISIT + timedelta(days=400)) -> list[tuple[str, datetime]]:
    """(configuration, when) of the reminders that the timer would write, if nothing happened any more."""
    return [(each.data.config_id, each.data.due_at) for each in opened.tick(until)]


def book(opened: World, version: int = 1, **fields: Any) -> list[Event]:
    return opened.send("appointment.created", appointment(version, **fields))


def read(opened: World, due: Event) -> list[Event]:
    """The timer's record comes back, at the moment it speaks of."""
    return opened.apply(recorded(opened, due))


def recorded(opened: World, due: Event) -> FakeRecord:
    opened.at = max(opened.at, due.data.due_at)
    return opened.record("reminder.due", due.data.model_dump(mode="json"), event_id=due.id)


def test_a_day_before() -> None:
    """Without a time of its own a reminder falls due 1440 minutes before the start: not earlier, and once."""
    opened = world()
    book(opened)
    assert opened.tick(DUE - timedelta(milliseconds=1)) == []
    [due] = opened.tick(DUE)
    assert (due.type, due.subject, due.time) == ("reminder.due", "appointment/ap-1", DUE)
    data = due.data
    assert (data.company_id, data.appointment_id, data.config_id, data.due_at) == (COMPANY, "ap-1", "r-1", DUE)
    assert opened.tick(DUE + timedelta(hours=1)) == []


def test_what_is_told() -> None:
    """The customer is reminded with low priority, until the start, by the configuration that planned it; the
    notification's cause is the reminder."""
    opened = world()
    book(opened)
    [due] = opened.tick(DUE)
    [request] = requests(read(opened, due))
    assert (request.event_type, request.audience, request.priority) == (REMINDER, "customer", "low")
    assert (request.not_after, request.not_before) == (VISIT, None)
    assert (request.config.config_id, request.config.level, request.caused_by) == ("r-1", "company", due.id)
    assert (request.cause.topic, request.cause.offset) == ("notification.timers", 0)
    assert request.notification_id == notification_id(COMPANY, "/booking/test", due.id, "r-1", "customer", "cu-1")
    assert "14:30" in request.contents["email"].body_text  # type: ignore[index]


def test_asks_to_be_woken() -> None:
    """The role wants to be woken at the first moment to come, and at none when nothing is to come."""
    opened = world(reminder(), reminder("r-2", minutes_before=60))
    assert opened.role.next_wakeup(opened.state) is None
    book(opened)
    assert opened.role.next_wakeup(opened.state) == DUE.timestamp()
    opened.tick(DUE)
    opened.tick(DUE)
    assert opened.role.next_wakeup(opened.state) == (VISIT - timedelta(hours=1)).timestamp()
    opened.restart()
    assert opened.role.next_wakeup(opened.state) == (VISIT - timedelta(hours=1)).timestamp()


def test_days_before() -> None:
    """`days_before` counts on the branch's calendar and `at` is its wall clock, also when the clocks change in
    between."""
    opened = world(reminder(days_before=1, at="18:00"))
    start = datetime(2026, 10, 25, 8, 0, tzinfo=UTC)  # Sunday 09:00, after the clocks went back
    opened.at = datetime(2026, 10, 1, tzinfo=UTC)
    book(opened, starts_at=start)
    assert moments(opened) == [("r-1", datetime(2026, 10, 24, 16, 0, tzinfo=UTC))]


def test_days_before_without_a_time() -> None:
    """`days_before` alone is at the start's wall-clock time."""
    opened = world(reminder(days_before=2))
    book(opened, starts_at=datetime(2026, 11, 30, 9, 15, tzinfo=UTC))
    assert moments(opened) == [("r-1", datetime(2026, 11, 28, 9, 15, tzinfo=UTC))]


@pytest.mark.parametrize(
    "fields", [{"minutes_before": 0}, {"days_before": 0, "at": "14:30"}, {"days_before": 0, "at": "18:00"}]
)
def test_not_after_the_start(fields: dict[str, Any]) -> None:
    """A reminder that would not be before the start is none."""
    opened = world(reminder(**fields))
    book(opened)
    assert moments(opened) == []


def test_past_already() -> None:
    """Who books less than a day ahead is not reminded of what is a day before."""
    opened = world()
    opened.at = DUE
    book(opened)
    assert moments(opened) == []
    opened.restart()
    assert moments(opened) == []


def test_booked_just_in_time() -> None:
    """Past or not is measured by the record's time, though the timer's clock is ahead of it."""
    opened = world()
    opened.at = DUE - timedelta(milliseconds=1)
    opened.tick(DUE + timedelta(seconds=5))
    book(opened)
    assert [each.data.due_at for each in opened.tick(DUE + timedelta(seconds=6))] == [DUE]


def test_every_configuration_of_the_level() -> None:
    """Each configuration of the deciding level is a reminder of its own, a disabled one a suppression when it
    would have been due; other levels have none."""
    opened = world(
        reminder("week", level="branch", level_id="b-1", minutes_before=2000),
        reminder("hour", level="branch", level_id="b-1", minutes_before=60),
        reminder("off", level="branch", level_id="b-1", minutes_before=30, is_enabled=False),
        reminder("company", minutes_before=90),
    )
    book(opened)
    dues = opened.tick(VISIT)
    assert [each.data.config_id for each in dues] == ["week", "hour", "off"]
    told = [each for due in dues for each in read(opened, due)]
    assert [request.config.config_id for request in requests(told)] == ["week", "hour"]
    [outcome] = suppressions(told)
    assert outcome.config is not None
    assert (outcome.reason, outcome.event_type, outcome.config.config_id) == ("disabled", REMINDER, "off")


def test_colleagues_are_reminded_too() -> None:
    """A reminder for staff goes to the colleague of the appointment."""
    opened = world(reminder(audience="staff"))
    book(opened)
    [due] = opened.tick(DUE)
    assert outline(read(opened, due)) == [(REMINDER, "staff", "anna")]


def test_moves_with_the_appointment() -> None:
    """Any event that changes the start moves the reminder; one already written for the old start is stale."""
    opened = world()
    book(opened)
    [old] = opened.tick(DUE)
    later = VISIT + timedelta(days=3)
    opened.later(minutes=1)
    opened.send("appointment.updated", appointment(2, starts_at=later))
    assert read(opened, old) == []
    assert opened.counted["staffetta_intake_total", "notification.timers", "stale"] == 1
    assert moments(opened) == [("r-1", later - timedelta(days=1))]


def test_moved_there_and_back() -> None:
    """An appointment that returns to its old time, after it was reminded of that, is not reminded again."""
    opened = world()
    book(opened)
    [due] = opened.tick(DUE)
    assert len(requests(read(opened, due))) == 1
    opened.later(minutes=1)
    opened.send("appointment.updated", appointment(2, starts_at=VISIT + timedelta(days=3)))
    opened.send("appointment.updated", appointment(3))
    assert moments(opened) == []


def test_moved_forward_within_the_day() -> None:
    """Moved to a start whose reminder would have been in the past: none."""
    opened = world()
    book(opened)
    opened.send("appointment.rescheduled", appointment(2, starts_at=START + timedelta(hours=5)))
    assert moments(opened) == []


@pytest.mark.parametrize(
    ("type", "fields"),
    [
        ("appointment.cancelled", {"status": "cancelled"}),
        ("appointment.cancelled", {"status": "booked"}),
        ("appointment.updated", {"status": "cancelled"}),
        ("appointment.updated", {"status": "no_show"}),
        ("appointment.updated", {"status": "completed"}),
        ("appointment.deleted", {}),
    ],
)
def test_goes_with_the_appointment(type: str, fields: dict[str, Any]) -> None:
    """An appointment that is not booked any more has no reminder, even if that was written already."""
    opened, other = world(), world()
    for each in (opened, other):
        book(each)
    [written] = other.tick(DUE)
    for each in (opened, other):
        each.send(type, appointment(2, **fields))
    assert moments(opened) == []
    assert read(other, written) == []


def test_booked_again() -> None:
    """What was cancelled and is booked again is reminded of."""
    opened = world()
    book(opened)
    opened.send("appointment.cancelled", appointment(2, status="cancelled"))
    opened.send("appointment.updated", appointment(3))
    assert moments(opened) == [("r-1", DUE)]


def test_a_configuration_that_appears() -> None:
    """A new configuration plans reminders for the appointments that are there; what would be past is left out."""
    opened = world(config("appointment.created"))
    book(opened)
    opened.send("appointment.created", appointment(appointment_id="ap-2", starts_at=START + timedelta(hours=3)))
    opened.send("notification_config.upserted", reminder(minutes_before=600))
    planned = [(each.data.appointment_id, each.data.due_at) for each in opened.tick(VISIT)]
    assert planned == [("ap-1", VISIT - timedelta(hours=10))]


def test_a_configuration_that_changes() -> None:
    """A changed time moves all reminders of the level; another version with the same time moves nothing."""
    opened = world()
    book(opened)
    opened.send("notification_config.upserted", reminder(version=2))
    opened.send("notification_config.upserted", reminder(version=3, minutes_before=120))
    assert opened.tick(DUE) == []
    assert moments(opened) == [("r-1", VISIT - timedelta(hours=2))]


def test_a_new_version_does_not_swallow_what_is_due() -> None:
    """What was due before a configuration got a new version, and was not written yet, is still written."""
    opened = world()
    book(opened)
    opened.at = DUE + timedelta(minutes=5)
    opened.send("notification_config.upserted", reminder(version=2, channel="sms"))
    opened.send("notification_config.upserted", reminder("r-2", minutes_before=60))
    assert moments(opened)[0] == ("r-1", DUE)


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("notification_config.deleted", {"config_id": "r-1", "version": 2}),
        ("notification_config.upserted", reminder(version=2, level="branch", level_id="b-9")),
        ("notification_config.upserted", config("appointment.created", "r-1", version=2)),
    ],
)
def test_a_configuration_that_goes(type: str, data: dict[str, Any]) -> None:
    """Deleted, moved away or made for something else: its reminders are gone, written ones too."""
    opened, other = world(), world()
    for each in (opened, other):
        book(each)
    [written] = other.tick(DUE)
    for each in (opened, other):
        each.send(type, data)
    assert moments(opened) == []
    assert read(other, written) == []


def test_switched_off_and_on() -> None:
    """What counts is whether a configuration is on when its reminder is read."""
    opened = world()
    book(opened)
    opened.send("notification_config.upserted", reminder(version=2, is_enabled=False))
    [due] = opened.tick(DUE)
    back = copy.deepcopy(opened)
    assert outline(read(opened, due)) == [(REMINDER, "customer", "disabled")]
    back.send("notification_config.upserted", reminder(version=3))
    assert outline(read(back, due)) == [(REMINDER, "customer", "cu-1")]
    opened.send("notification_config.upserted", reminder(version=3))
    assert moments(opened) == []


def test_a_more_specific_level() -> None:
    """A level that comes to decide takes the reminders over, and gives them back when it says nothing more; what
    would have been past by then is none."""
    opened = world()
    book(opened)
    opened.send("appointment.created", appointment(appointment_id="ap-2", starts_at=VISIT + timedelta(days=5)))
    opened.send("notification_config.upserted", reminder("own", level="staff", level_id="anna", minutes_before=60))
    opened.at = DUE + timedelta(hours=1)
    assert opened.tick() == []
    opened.send("notification_config.deleted", {"config_id": "own", "version": 2})
    assert moments(opened) == [("r-1", VISIT + timedelta(days=4))]


def test_the_zone_of_a_branch() -> None:
    """A branch that gets another zone has its reminders by the new wall clock, and one that is known late by its
    own."""
    opened = world(reminder(days_before=1, at="18:00"))
    book(opened)
    book(opened, branch_id="b-2", appointment_id="ap-2")
    opened.send("branch.upserted", branch(version=2, timezone="America/New_York"))
    opened.send("branch.upserted", branch(branch_id="b-2", timezone="Asia/Kathmandu"))
    dues = {each.data.appointment_id: each.data.due_at for each in opened.tick(VISIT)}
    assert dues == {
        "ap-1": datetime(2026, 11, 21, 18, 0, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC),
        "ap-2": datetime(2026, 11, 21, 18, 0, tzinfo=ZoneInfo("Asia/Kathmandu")).astimezone(UTC),
    }


def test_unknown_branch() -> None:
    """A reminder of a branch that nobody knows waits for it like anything else."""
    opened = world()
    book(opened, branch_id="b-2")
    [due] = opened.tick(DUE)
    assert read(opened, due) == []
    told = opened.send("branch.upserted", branch(branch_id="b-2"))
    assert [each.event_type for each in requests(told)] == [REMINDER]


def test_read_twice() -> None:
    """A second timer's record, or a repeated one, tells nobody a second time."""
    opened = world()
    book(opened)
    [due] = opened.tick(DUE)
    assert len(requests(read(opened, due))) == 1
    assert read(opened, due) == []
    assert opened.counted["staffetta_intake_total", "notification.timers", "duplicate"] == 1


def test_read_too_late() -> None:
    """What is read only after the start is suppressed, and says so."""
    opened = world()
    book(opened)
    [due] = opened.tick(DUE)
    opened.at = VISIT + timedelta(milliseconds=1)
    [outcome] = suppressions(read(opened, due))
    assert (outcome.reason, outcome.event_type) == ("too_late", REMINDER)


def test_an_erased_customer() -> None:
    """Somebody who was erased is not reminded."""
    opened = world()
    book(opened)
    [due] = opened.tick(DUE)
    opened.send("customer.erased", {"customer_id": "cu-1"})
    assert read(opened, due) == []


def test_taken_back_and_repeated() -> None:
    """A tick that was rolled back, or is repeated by another worker, writes the same once more; a committed one
    nothing."""
    opened = world()
    book(opened)
    first = opened.role.step(_empty(opened), opened.state).outputs
    opened.state.rollback()
    again = opened.role.step(_empty(opened), opened.state).outputs
    opened.state.rollback()
    opened.restart()
    assert opened.role.step(_empty(opened), opened.state).outputs == again == first
    opened.state.committed()
    assert opened.role.step(_empty(opened), opened.state).outputs == []
    opened.state.committed()
    assert opened.role.next_wakeup(opened.state) is None


def _empty(opened: World) -> Batch:
    return Batch(opened.state, [], now=DUE.timestamp())


def test_a_mass_in_parts() -> None:
    """Thousands that fall due in the same moment are written in parts, each once, none left out."""
    opened = world()
    count = 2 * WRITTEN_AT_ONCE + 10
    for number in range(count):
        book(opened, appointment_id=f"ap-{number}")
    parts = [opened.tick(DUE) for _ in range(4)]
    assert [len(part) for part in parts] == [WRITTEN_AT_ONCE, WRITTEN_AT_ONCE, 10, 0]
    assert len({each.id for part in parts for each in part}) == count


def test_only_a_change_of_time_looks_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Appointments, and events of the directory by which no reminder moves, are applied without looking at the
    company's other appointments."""
    opened = world()
    book(opened)

    def scan(memory: object) -> Any:
        raise AssertionError("all appointments were looked at")

    monkeypatch.setattr(replanning, "booked", scan)
    book(opened, appointment_id="ap-2")
    opened.send("notification_config.upserted", reminder(version=2, channel="sms"))
    opened.send("notification_config.upserted", config("appointment.created"))
    opened.send("branch.upserted", branch(version=2, name="Salon Nord"))
    opened.send("staff.upserted", staff("ben"))


@pytest.mark.parametrize("starts_at", ["2126-11-22T13:30:00Z", "9999-12-31T23:59:59Z"])
def test_far_ahead(starts_at: str) -> None:
    """An appointment in a hundred or a thousand years is planned like any other and disturbs nobody."""
    opened = world()
    book(opened, starts_at=starts_at)
    book(opened, appointment_id="ap-2")
    assert opened.role.next_wakeup(opened.state) == DUE.timestamp()
    assert len(opened.tick(DUE)) == 1
    opened.restart()
    assert (opened.role.next_wakeup(opened.state) or 0) > VISIT.timestamp()


def test_forgotten_with_the_appointment() -> None:
    """What is remembered of its reminders is forgotten with the appointment, not earlier."""
    opened = world()
    book(opened)
    opened.tick(DUE)
    opened.at = VISIT + timedelta(days=10)
    opened.send("appointment.updated", appointment(2, notes="was there"))
    opened.at = VISIT + timedelta(days=35)
    book(opened, appointment_id="ap-2", starts_at=opened.at + timedelta(hours=1))
    assert moments(opened) == []
    opened.at = VISIT + timedelta(days=80)
    book(opened, appointment_id="ap-3", starts_at=opened.at + timedelta(hours=1))
    assert {key for table, _, key in opened.rows() if table == "reminders"} == {"ap-3"}


levels = st.sampled_from([("company", COMPANY), ("branch", "b-1"), ("staff", "anna")])
changes = st.one_of(
    st.tuples(
        st.sampled_from(["appointment.updated", "appointment.rescheduled"]),
        st.builds(
            lambda version, number, hours, **fields: appointment(
                version, appointment_id=f"ap-{number}", starts_at=START + timedelta(hours=hours), **fields
            ),
            st.integers(1, 8),
            st.integers(1, 3),
            st.integers(0, 200),
            status=st.sampled_from(["booked", "booked", "booked", "cancelled"]),
            staff_id=st.sampled_from(["anna", None]),
        ),
    ),
    st.tuples(
        st.just("notification_config.upserted"),
        st.builds(
            lambda number, version, level, **fields: reminder(
                f"r-{number}", version=version, level=level[0], level_id=level[1], **fields
            ),
            st.integers(1, 3),
            st.integers(1, 5),
            levels,
            minutes_before=st.sampled_from([30, 90, 1440, 4000]),
            is_enabled=st.sampled_from([True, True, False]),
        ),
    ),
    st.tuples(
        st.just("notification_config.deleted"),
        st.builds(
            lambda number, v: {"config_id": f"r-{number}", "version": v}, st.integers(1, 3), st.integers(1, 6)
        ),
    ),
    st.tuples(
        st.just("branch.upserted"),
        st.builds(lambda v, zone: branch(version=v, timezone=zone), st.integers(2, 5), st.sampled_from(ZONES)),
    ),
)
histories = st.lists(st.tuples(changes, st.integers(0, 30)), max_size=25)


def play(opened: World, history: Sequence[Any], restart: bool) -> tuple[list[FakeRecord], list[Event]]:
    """Everything that happens, the timer's records among it, and what was told: record by record."""
    records: list[FakeRecord] = []
    told: list[Event] = []

    def apply(record: FakeRecord) -> None:
        records.append(record)
        told.extend(each for each in opened.apply(record) if each.type != "notification.attempt_due")

    for (type, data), hours in (*history, (("staff.upserted", staff("cleo", version=9)), 400)):
        apply(opened.record(type, data))
        if restart:
            opened.restart()
        opened.later(hours=hours)
        while dues := opened.tick():
            for due in dues:
                apply(opened.record("reminder.due", due.data.model_dump(mode="json"), event_id=due.id))
    return records, told


@settings(max_examples=80, deadline=None)
@given(histories, st.lists(st.integers(0, 100), max_size=6))
def test_cuts_do_not_matter(history: Sequence[Any], at: Sequence[int]) -> None:
    """However the log is cut into batches, the same reminders are requested; a restart between any two records
    changes nothing either; and none is written or told twice."""
    records, told = play(world(), history, restart=False)
    restarted = play(world(), history, restart=True)
    assert (restarted[0], restarted[1]) == (records, told)
    ids = [each.value for each in records if each.topic == "notification.timers"]
    assert len(ids) == len(set(ids))
    keys = [each.data.notification_id for each in told]
    assert len(keys) == len(set(keys))
    edges = sorted({0, len(records), *(place % (len(records) + 1) for place in at)})
    other, again = world(), list[Event]()
    for start, end in itertools.pairwise(edges):
        again += other.apply(*records[start:end])
    assert again == told


@settings(max_examples=80, deadline=None)
@given(histories)
def test_alarms_miss_nothing(history: Sequence[Any]) -> None:
    """The hints that a worker has gathered wake it for exactly what another finds in the rows."""
    opened = world()
    for (type, data), hours in history:
        opened.send(type, data)
        opened.later(hours=hours)
    fresh = copy.deepcopy(opened)
    fresh.restart()
    end = opened.at + timedelta(days=400)
    while woken := fresh.role.next_wakeup(fresh.state):
        now = datetime.fromtimestamp(woken, UTC)
        assert now <= end
        assert ids(opened.tick(now)) == ids(fresh.tick(now))
    assert opened.tick(end) == []


def ids(events: Sequence[Event]) -> set[str]:
    return {each.id for each in events}


def test_customer_of_an_import() -> None:
    """An appointment that came silently is reminded of all the same."""
    opened = world()
    book(opened, notify="none", customer=customer())
    assert moments(opened) == [("r-1", DUE)]
