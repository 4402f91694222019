"""What is asked before every attempt: whether it is still so, and whether they still want to know."""

from typing import Any

import pytest

from schemas.notifications import Outcome
from streams.clock import utc
from streams.policy.delivery.known import rows
from streams.state import State
from tests.support.booking import Booking, Message, iso
from tests.unit.delivery.support import NOW, Record, Worker, partition_of, request, types
from tests.unit.delivery.test_attempts import (
    GRACE_SECONDS,
    TRANSIENT,
    TWO_CHANNELS,
    UNCONFIRMED,
    told,
    wait,
)

DAY_SECONDS = 86_400
ABOUT_CALLBACK: dict[str, Any] = {
    "event_type": "callback.assigned",
    "audience": "staff",
    "entity": {"type": "callback", "id": "cb-1", "version": 1},
    "recipient": {"type": "staff", "id": "st-1", "name": "Anna", "email": "anna@salon.example"},
}


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def salon() -> Booking:
    return Booking("co-7")


def heard(worker: Worker, *messages: Message) -> list[Record]:
    """The booking system says this; the records that carried it."""
    records = [worker.place(message.topic, message.key, message.value) for message in messages]
    for record in records:
        assert worker.send(record) == []
    return records


def decided(worker: Worker, staff_id: str | None, kind: str = "callback.auto_assigned", **fields: Any) -> Record:
    data = {
        "decision_id": f"de-{worker._offset}",
        "company_id": "co-7",
        "callback_id": "cb-1",
        "branch_id": "br-1",
        "staff_id": staff_id,
        "caused_by": "ev-1",
        "decided_at": "2026-11-18T11:00:00Z",
        "basis": {"booking.callbacks": worker._offset},
        **fields,
    }
    return worker.news(kind, "assignment.decisions", {k: v for k, v in data.items() if v is not None})


def ask(worker: Worker, **changes: Any) -> list[tuple[str, str, int, str | None]]:
    return told(worker.send(worker.record(request("co-7", "n-1", **changes))))


def about(version: int, **changes: Any) -> dict[str, Any]:
    return {"entity": {"type": "appointment", "id": "ap-1", "version": version}, **changes}


SUPERSEDED = [("suppressed", "email", 1, "superseded")]


@pytest.mark.parametrize("event", ["cancelled", "deleted", "rescheduled"])
def test_a_newer_version_of_an_appointment(worker: Worker, salon: Booking, event: str) -> None:
    """What is about an older version than one that was cancelled, deleted or moved is not told any more; the news
    itself is."""
    heard(worker, salon.appointment(), salon.appointment(event=event))
    assert ask(worker, **about(1)) == SUPERSEDED
    worker.send(worker.record(request("co-7", "n-2", **about(2))))
    assert len(worker.jobs) == 1


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({"notes": "Parkplatz"}, True),
        ({"status": "completed"}, True),
        ({"status": "cancelled"}, False),
        ({"starts_at": "2026-12-01T09:00:00Z"}, False),
    ],
)
def test_content_counts_as_well_as_type(
    worker: Worker, salon: Booking, fields: dict[str, Any], is_told: bool
) -> None:
    """A plain update overtakes nothing, unless it cancels or moves the appointment."""
    heard(worker, salon.appointment(), salon.appointment(event="updated", **fields))
    ask(worker, **about(1))
    assert bool(worker.jobs) is is_told


@pytest.mark.parametrize("status", ["cancelled", "booked"])
def test_a_cancellation_is_not_overtaken_by_a_note(worker: Worker, salon: Booking, status: str) -> None:
    """That an appointment was cancelled is told, also when its cancelled self was changed since."""
    booked, cancelled = salon.appointment(), salon.appointment(event="cancelled", status=status)
    heard(worker, booked, cancelled, salon.appointment(event="updated", status="cancelled"))
    ask(worker, **about(2, event_type="appointment.cancelled"))
    assert len(worker.jobs) == 1


def test_an_older_snapshot_changes_nothing(worker: Worker, salon: Booking) -> None:
    """A snapshot that comes late does not make anything newer of itself."""
    late = salon.appointment(event="rescheduled")
    heard(worker, salon.appointment(event="updated"), late)
    ask(worker, **about(2))
    assert len(worker.jobs) == 1


def test_asked_before_every_attempt(worker: Worker, salon: Booking) -> None:
    """Also what waits for a retry is suppressed, under the number that the attempt would have had."""
    heard(worker, salon.appointment())
    ask(worker, **about(1, retry_schedule_seconds=[1]))
    worker.answer(worker.jobs[0], TRANSIENT)
    heard(worker, salon.appointment(event="cancelled"))
    wait(worker, 3)
    assert told(worker.events)[1:] == [("suppressed", "email", 2, "superseded")]


def test_asked_before_the_repetition(worker: Worker, salon: Booking) -> None:
    """An attempt that may have arrived is not repeated when it is no longer so; it stays in doubt."""
    heard(worker, salon.appointment())
    ask(worker, **about(1))
    worker.answer(worker.jobs[0], UNCONFIRMED)
    heard(worker, salon.appointment(event="cancelled"))
    worker.clock.moment += GRACE_SECONDS
    assert told(worker.tick()) == [("failed", "email", 1, "unconfirmed")]
    assert worker.jobs == []


def test_another_company_is_another_world(worker: Worker) -> None:
    """Ids are unique only within a company."""
    other = Booking("co-8")
    heard(worker, other.appointment(), other.appointment(event="cancelled"))
    ask(worker, **about(1))
    assert len(worker.jobs) == 1


def test_too_late(worker: Worker) -> None:
    """After `not_after` nothing is sent."""
    assert ask(worker, not_after="2026-11-18T11:06:39Z") == [("suppressed", "email", 1, "too_late")]


# -- callbacks


def cause(record: Record) -> dict[str, Any]:
    return {"cause": {"topic": record.topic, "offset": record.offset}}


def test_a_callback_that_was_decided_again(worker: Worker, salon: Booking) -> None:
    """Who lost a callback again is not told that they have it; who has it is."""
    heard(worker, salon.callback())
    first = decided(worker, "st-1")
    worker.send(first)
    second = decided(worker, "st-2", "callback.reassigned", previous_staff_id="st-1")
    worker.send(second)
    assert ask(worker, **ABOUT_CALLBACK, **cause(first)) == SUPERSEDED
    ben = {"type": "staff", "id": "st-2", "name": "Ben", "email": "ben@salon.example"}
    worker.send(worker.record(request("co-7", "n-2", **{**ABOUT_CALLBACK, "recipient": ben}, **cause(second))))
    assert len(worker.jobs) == 1


def test_an_unknown_decision_supersedes_nothing(worker: Worker, salon: Booking) -> None:
    """The request may be here before its decision."""
    heard(worker, salon.callback())
    ask(worker, **ABOUT_CALLBACK, cause={"topic": "assignment.decisions", "offset": 99})
    assert len(worker.jobs) == 1


@pytest.mark.parametrize("event", ["completed", "contacted", "cancelled", "unassigned", "assigned"])
def test_a_callback_that_is_somebody_elses_or_nobodys(worker: Worker, salon: Booking, event: str) -> None:
    """Closed, unassigned or moved by hand since: its former assignee is not told."""
    heard(worker, salon.callback())
    first = decided(worker, "st-1")
    worker.send(first)
    fields = {"assigned_to": "st-2"} if event == "assigned" else {}
    heard(worker, salon.callback(event=event, **fields))
    assert ask(worker, **ABOUT_CALLBACK, **cause(first)) == SUPERSEDED


def test_the_echo_of_a_decision_moves_nothing(worker: Worker, salon: Booking) -> None:
    """The booking system applies the first decision after the second was taken: the second still holds."""
    heard(worker, salon.callback())
    first = decided(worker, "st-2")
    worker.send(first)
    second = decided(worker, "st-1", "callback.reassigned", previous_staff_id="st-2")
    worker.send(second)
    heard(worker, salon.callback(event="assigned", assigned_to="st-2"))
    ask(worker, **ABOUT_CALLBACK, **cause(second))
    assert len(worker.jobs) == 1


def test_a_decision_before_its_callback(worker: Worker, salon: Booking) -> None:
    """A decision that is read before the callback itself counts once that is there, and before."""
    first, second = decided(worker, "st-1"), decided(worker, "st-2", "callback.reassigned")
    worker.send(first)
    worker.send(second)
    assert ask(worker, **ABOUT_CALLBACK, **cause(first)) == SUPERSEDED
    heard(worker, salon.callback())
    written = worker.send(worker.record(request("co-7", "n-2", **ABOUT_CALLBACK, **cause(first))))
    assert told(written) == SUPERSEDED


def test_a_decision_before_the_move_that_it_has_seen(worker: Worker, salon: Booking) -> None:
    """What was moved by hand and then decided is who was decided on, even if the move is read last."""
    heard(worker, salon.callback())
    message = salon.callback(event="assigned", assigned_to="st-2")
    by_hand = worker.place(message.topic, message.key, message.value)
    made = decided(worker, "st-1", "callback.reassigned", previous_staff_id="st-2")
    worker.send(made)
    worker.send(by_hand)
    ask(worker, **ABOUT_CALLBACK, **cause(made))
    assert len(worker.jobs) == 1


def test_a_refused_command_changes_nothing(worker: Worker, salon: Booking) -> None:
    """A decision that nothing is decided leaves the assignee."""
    heard(worker, salon.callback())
    first = decided(worker, "st-1")
    worker.send(first)
    worker.send(decided(worker, None, "callback.command_refused", reason="already_assigned"))
    ask(worker, **ABOUT_CALLBACK, **cause(first))
    assert len(worker.jobs) == 1


def test_withdrawn_and_given_back(worker: Worker, salon: Booking) -> None:
    """Who has a callback again is not told that it was withdrawn."""
    heard(worker, salon.callback())
    worker.send(decided(worker, "st-1"))
    taken = decided(worker, "st-2", "callback.reassigned", previous_staff_id="st-1")
    worker.send(taken)
    withdrawn = {**ABOUT_CALLBACK, "event_type": "callback.withdrawn", **cause(taken)}
    ask(worker, **withdrawn)
    assert len(worker.jobs) == 1
    worker.send(decided(worker, "st-1", "callback.reassigned", previous_staff_id="st-2"))
    assert told(worker.send(worker.record(request("co-7", "n-2", **withdrawn)))) == SUPERSEDED


@pytest.mark.parametrize(("event", "is_told"), [("cancelled", False), ("contacted", True), ("updated", True)])
def test_received(worker: Worker, salon: Booking, event: str, is_told: bool) -> None:
    """Who cancelled a callback is not told that it was received."""
    received = {"event_type": "callback.received", "entity": {"type": "callback", "id": "cb-1", "version": 1}}
    heard(worker, salon.callback(), salon.callback(event=event))
    ask(worker, **received)
    assert bool(worker.jobs) is is_told


# -- customers


def preferences(salon: Booking, **fields: Any) -> Message:
    return salon.directory("customer_preferences.upserted", "cu-1", customer_id="cu-1", **fields)


@pytest.mark.parametrize("what", [{"channel": "email"}, {"channel": "email", "event_type": "appointment.created"}])
def test_unsubscribed(worker: Worker, salon: Booking, what: dict[str, str]) -> None:
    """Who wants no mail, or none about this, is told on the next channel, without an attempt by mail."""
    heard(worker, preferences(salon, unsubscribed=[what]))
    assert ask(worker, **TWO_CHANNELS) == [("fell_back", "email", 1, "unsubscribed")]
    worker.run()
    assert worker.jobs[0].delivery.intent.channel == "sms"


def test_unsubscribed_from_everything(worker: Worker, salon: Booking) -> None:
    """With no channel left it fails, without an attempt."""
    heard(worker, preferences(salon, unsubscribed=[{"channel": "email"}]))
    written = worker.send(worker.record(request("co-7", "n-1")))
    assert types(written) == ["failed", "dead_lettered"]
    assert told(written) == [("failed", "email", 1, "unsubscribed")]


@pytest.mark.parametrize(
    "unsubscribed", [[{"channel": "sms"}], [{"channel": "email", "event_type": "appointment.reminder"}], []]
)
def test_unsubscribed_from_something_else(
    worker: Worker, salon: Booking, unsubscribed: list[dict[str, str]]
) -> None:
    """Other channels and other event types are not meant; what was taken back counts no more."""
    heard(worker, preferences(salon, unsubscribed=[{"channel": "email"}]))
    heard(worker, preferences(salon, unsubscribed=unsubscribed))
    ask(worker)
    assert len(worker.jobs) == 1


def test_preferences_that_were_deleted(worker: Worker, salon: Booking) -> None:
    """Nothing is left of them."""
    heard(worker, preferences(salon, unsubscribed=[{"channel": "email"}]))
    heard(worker, salon.directory("customer_preferences.deleted", "cu-1", customer_id="cu-1"))
    ask(worker)
    assert len(worker.jobs) == 1


def test_a_repetition_that_is_no_longer_wanted(worker: Worker, salon: Booking) -> None:
    """After an attempt that may have arrived there is no other channel: it stays unconfirmed."""
    ask(worker, **TWO_CHANNELS)
    worker.answer(worker.jobs[0], UNCONFIRMED)
    heard(worker, preferences(salon, unsubscribed=[{"channel": "email"}]))
    worker.clock.moment += GRACE_SECONDS
    assert told(worker.tick()) == [("failed", "email", 1, "unconfirmed")]


def test_quiet_hours_chosen_since(worker: Worker, salon: Booking) -> None:
    """The customer's own quiet hours count as they are now, in their zone."""
    heard(worker, preferences(salon, quiet_hours={"start": "12:00", "end": "13:00"}, timezone="Europe/Berlin"))
    ask(worker)
    assert worker.jobs == []
    assert worker.posted[0].topic == "delivery.retry.900"


@pytest.mark.parametrize("said", [{}, {"timezone": "Mars/Olympus"}, {"timezone": ""}])
@pytest.mark.parametrize("had", [None, {"start": "03:00", "end": "04:00", "timezone": "Europe/Berlin"}])
def test_quiet_hours_chosen_since_without_a_zone(
    worker: Worker, salon: Booking, said: dict[str, str], had: dict[str, str] | None
) -> None:
    """Quiet hours that say no zone, or one that there is not, mean the zone that the notification knows."""
    heard(worker, preferences(salon, quiet_hours={"start": "12:00", "end": "13:00"}, **said))
    ask(worker, timezone="Europe/Berlin", quiet_hours=had)
    assert worker.jobs == []
    assert worker.posted[0].topic == "delivery.retry.900"


def test_a_zone_chosen_since(worker: Worker, salon: Booking) -> None:
    """The hours of the branch hold by the clock of the customer's zone as it is now: 06:06 in New York."""
    heard(worker, preferences(salon, timezone="America/New_York"))
    ask(worker, quiet_hours={"start": "21:00", "end": "08:00", "timezone": "Europe/Berlin"})
    assert worker.jobs == []


@pytest.mark.parametrize("house", [None, ("12:00", "13:00"), ("13:00", "14:00")])
def test_quiet_hours_taken_back(worker: Worker, salon: Booking, house: tuple[str, str] | None) -> None:
    """Who has taken back their own quiet hours is told, unless it is quiet for everybody at 12:06."""
    own = {"start": "12:00", "end": "13:00", "timezone": "Europe/Berlin"}
    hours = None if house is None else {"start": house[0], "end": house[1], "timezone": "Europe/Berlin"}
    changed = preferences(salon, version=5)
    ask(worker, quiet_hours=own, chosen_in=4, house_hours=hours)
    assert worker.jobs == []
    heard(worker, changed)
    worker.send(worker.record(request("co-7", "n-2", quiet_hours=own, chosen_in=4, house_hours=hours)))
    assert len(worker.jobs) == (house != ("12:00", "13:00"))


def test_quiet_hours_that_are_not_known_here_yet(worker: Worker, salon: Booking) -> None:
    """A request that knows newer preferences than are known here is taken at its word."""
    heard(worker, preferences(salon, version=3))
    ask(worker, quiet_hours={"start": "12:00", "end": "13:00", "timezone": "Europe/Berlin"}, chosen_in=4)
    assert worker.jobs == []


def test_erased(worker: Worker, salon: Booking) -> None:
    """What waits for somebody who was erased is suppressed; what is written for them later is not."""
    ask(worker, retry_schedule_seconds=[1])
    worker.answer(worker.jobs[0], TRANSIENT)
    worker.clock.moment += 0.5
    heard(worker, salon.directory("customer.erased", "cu-1", customer_id="cu-1"))
    wait(worker, 3)
    assert told(worker.events)[1:] == [("suppressed", "email", 2, "erased")]
    worker.send(worker.record(request("co-7", "n-2")))
    assert len(worker.jobs) == 1


@pytest.mark.parametrize(("seconds", "suppressed"), [(-1, True), (0, True), (1, False)])
def test_erased_before_or_after(worker: Worker, salon: Booking, seconds: int, suppressed: bool) -> None:
    """What counts is as of when a notification speaks of somebody, not when it comes to be delivered."""
    worker.clock.moment += 60
    heard(worker, salon.directory("customer.erased", "cu-1", customer_id="cu-1"))
    worker.clock.moment += 60
    end = ask(worker, as_of=iso(utc(NOW + 60 + seconds)))
    assert end == ([("suppressed", "email", 1, "erased")] if suppressed else [])
    assert len(worker.jobs) == (not suppressed)


def test_colleagues_are_not_told_of_the_erased(worker: Worker, salon: Booking) -> None:
    """What waits to tell a colleague of a customer who was erased meanwhile is suppressed."""
    as_of = iso(utc(NOW))
    ask(worker, **ABOUT_CALLBACK, customer_id="cu-1", as_of=as_of, retry_schedule_seconds=[1])
    worker.answer(worker.jobs[0], TRANSIENT)
    worker.clock.moment += 0.5
    heard(worker, salon.directory("customer.erased", "cu-1", customer_id="cu-1"))
    wait(worker, 3)
    assert told(worker.events)[1:] == [("suppressed", "email", 2, "erased")]


def test_a_redrive_of_somebody_who_was_erased(worker: Worker, salon: Booking) -> None:
    """Sending again reaches no one who was to be forgotten meanwhile."""
    ask(worker, retry_schedule_seconds=[])
    worker.answer(worker.jobs[0], TRANSIENT)
    worker.clock.moment += 1
    heard(worker, salon.directory("customer.erased", "cu-1", customer_id="cu-1"))
    worker.clock.moment += 1
    assert ask(worker, redrive=1) == [("suppressed", "email", 1, "erased")]


def test_colleagues_are_not_customers(worker: Worker, salon: Booking) -> None:
    """A customer's choices mean nothing for a colleague with the same id."""
    heard(worker, preferences(salon, unsubscribed=[{"channel": "email"}]))
    ask(worker, audience="staff", recipient={"type": "staff", "id": "cu-1", "name": "A", "email": "a@b.example"})
    assert len(worker.jobs) == 1


# -- reading


def test_others_answer_for_what_they_read(worker: Worker, salon: Booking) -> None:
    """What cannot be read there, or is of no interest, is neither counted nor dead-lettered here."""
    for topic in ("booking.directory", "booking.callbacks", "booking.appointments", "assignment.decisions"):
        assert worker.send(worker.place(topic, b"co-7", b"{")) == []
    heard(worker, salon.staff(), salon.company())
    assert worker.counted == {}


def test_slots_are_for_sending(salon: Booking) -> None:
    """What is heard is applied while every slot is taken, and takes none."""
    worker = Worker(concurrency=1)
    ask(worker)
    number = partition_of(worker.jobs[0])
    news = [worker.place(m.topic, m.key, m.value) for m in (salon.appointment(), salon.company())]
    before = len(worker.committed[number])
    worker.send(*worker.picked(number, news))
    assert len(worker.committed[number]) == before + 1
    assert len(worker.jobs) == 1


def test_a_big_directory_leaves_room_for_sending(worker: Worker, salon: Booking) -> None:
    """Of a mass of news a batch holds only so many that messages go out between them."""
    news = worker.place("booking.directory", b"co-7", salon.company().value)
    waiting = worker.record(request("co-7", "n-2"))
    picked = worker.picked(waiting.partition, [news] * 10_000 + [waiting])
    assert picked[-1] == waiting
    assert len(picked) == 2501


def test_what_is_known_is_forgotten(worker: Worker, salon: Booking) -> None:
    """30 days after the appointment, the closed callback, the erasure; open ones and choices stay."""
    heard(
        worker,
        salon.appointment(starts_at="2026-11-18T12:00:00Z"),
        salon.appointment("ap-2", starts_at="2026-12-24T12:00:00Z"),
        salon.callback(event="completed"),
        salon.callback("cb-2"),
        preferences(salon),
        salon.directory("customer.erased", "cu-2", customer_id="cu-2"),
    )
    worker.send(worker.record(request("co-7", "n-1"), timestamp=NOW + 31 * DAY_SECONDS))
    state: State = worker.states[partition_of(worker.jobs[0])]
    assert set(state.rows(rows.APPOINTMENTS, "co-7")) == {"ap-2"}
    assert set(state.rows(rows.CALLBACKS, "co-7")) == {"cb-2"}
    assert set(state.rows(rows.CUSTOMERS, "co-7")) == {"cu-1"}


def test_suppressions_carry_what_the_record_needs(worker: Worker, salon: Booking) -> None:
    """A suppression names the notification, its entity, its cause and the keyed hash of the recipient."""
    heard(worker, salon.appointment(), salon.appointment(event="cancelled"))
    (event,) = worker.send(worker.record(request("co-7", "n-1", **about(1))))
    assert isinstance(event.data, Outcome)
    assert (event.data.entity.id, event.data.caused_by, event.subject) == ("ap-1", "ev-1", "appointment/ap-1")
    assert event.data.recipient_hash is not None
