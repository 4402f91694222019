"""The audit finds nothing in a day that went right, and says so of every way in which it can have gone wrong."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from agents.assign import JOURNAL
from streams.audit import Entry, Finding, Kind, Log, examine
from streams.audit.loads import STORED
from streams.policy.assignment import rows
from streams.state import read_row_key
from tests.support.booking import Booking
from tests.unit.audit.theatre import PARTITIONS, Theatre, a_day

OUTPUTS = (
    "assignment.decisions",
    JOURNAL,
    "notification.requests",
    "delivery.email",
    "delivery.outcomes",
    "delivery.dead-letters",
    "intake.dead-letters",
)

DELAYED = "delivery.retry.60"


@dataclass
class Day:
    log: Log
    accepted: Counter[str]
    messages: list[dict[str, Any]] = field(default_factory=list)
    """What the simulated providers have."""

    @property
    def findings(self) -> list[Finding]:
        return examine(self.log, PARTITIONS, self.accepted, self.messages)

    def says(self, kind: Kind, words: str) -> bool:
        return any(finding.kind is kind and words in finding.what for finding in self.findings)

    def stored(self, table: str) -> list[Entry]:
        """What `assign` has written of its rows."""
        return [entry for entry in self.log[STORED] if read_row_key(entry.key or b"")[0] == table]

    def first(self, topic: str, is_it: Callable[[dict[str, Any]], bool] = lambda event: True) -> Entry:
        return next(entry for entry in self.log[topic] if is_it(entry.event))

    def remove(self, entry: Entry) -> None:
        self.log[entry.topic].remove(entry)

    def alter(self, entry: Entry, **changed: Any) -> None:
        """Other fields in the event's data."""
        event = entry.event
        self.rewrite(entry, json.dumps({**event, "data": {**event["data"], **changed}}).encode())

    def rewrite(self, entry: Entry, value: bytes | None) -> None:
        at = self.log[entry.topic].index(entry)
        self.log[entry.topic][at] = replace(entry, value=value)

    def append(self, entry: Entry) -> None:
        """The same once more, at the end of its partition."""
        last = max(each.offset for each in self.log[entry.topic] if each.partition == entry.partition)
        self.log[entry.topic].append(replace(entry, offset=last + 1))
        self.log[entry.topic].sort(key=lambda each: (each.partition, each.offset))


@pytest.fixture(scope="module")
def theatre() -> Theatre:
    return a_day()


@pytest.fixture
def day(theatre: Theatre) -> Day:
    return Day({topic: list(entries) for topic, entries in theatre.log.items()}, Counter(theatre.post.accepted))


def test_nothing_is_found_where_nothing_is_wrong(day: Day) -> None:
    """A day that went right, with everything in it that can go right, passes."""
    assert day.findings == []
    assert all(day.log[topic] for topic in OUTPUTS)
    kinds = {entry.event["type"] for topic in OUTPUTS for entry in day.log[topic]}
    assert kinds > {
        "callback.reassigned",
        "callback.waiting",
        "callback.bulk_assigned",
        "callback.command_refused",
    }
    assert kinds > {"notification.unconfirmed", "notification.failed", "notification.suppressed", "intake.refused"}
    assert kinds > {"notification.retrying", "notification.sent"}
    assert day.log[DELAYED]


@pytest.mark.parametrize("topic", OUTPUTS)
def test_no_record_can_go_missing_unnoticed(day: Day, topic: str) -> None:
    """Whichever single record a role had failed to write, the audit would say so."""
    # A batch of the journal may be missing where the next one covers it: the same inputs in the same order.
    entries = [day.log[topic][-1]] if topic == JOURNAL else list(day.log[topic])
    for entry in entries:
        whole = day.log[topic]
        day.log[topic] = [each for each in whole if each != entry]
        assert day.findings, f"{entry.place}: {entry.event['type']}"
        day.log[topic] = whole


@pytest.mark.parametrize("topic", OUTPUTS)
def test_no_record_can_be_written_twice_unnoticed(day: Day, topic: str) -> None:
    """Whichever single record a role had written twice, the audit would call it doubled."""
    for entry in list(day.log[topic]):
        whole = list(day.log[topic])
        day.append(entry)
        kinds = {finding.kind for finding in day.findings}
        assert Kind.DOUBLED in kinds, f"{entry.place}: {entry.event['type']}"
        day.log[topic] = whole


def test_a_lost_decision(day: Day) -> None:
    """A decision that the inputs call for and that is not there is lost."""
    decision = day.first("assignment.decisions", lambda event: event["type"] == "callback.waiting")
    day.remove(decision)
    assert day.says(Kind.LOST, f"callback.waiting {decision.event['id']}")


def test_an_altered_decision(day: Day) -> None:
    """A decision with the right id and another content is not what the inputs say."""
    decision = day.first("assignment.decisions", lambda event: event["data"].get("staff_id") == "st-1")
    day.alter(decision, staff_id="st-3")
    assert day.says(Kind.WRONG, f"{decision.event['id']} of callback/")
    assert not any(finding.kind is Kind.LOST for finding in day.findings)


def test_an_invented_decision(day: Day) -> None:
    """A decision that no input calls for is wrong."""
    decision = day.first("assignment.decisions")
    event = {**decision.event, "id": "another", "data": {**decision.event["data"], "decision_id": "another"}}
    day.append(replace(decision, value=json.dumps(event).encode()))
    assert day.says(Kind.WRONG, "the inputs say nothing of it")


def test_decisions_in_another_order(day: Day) -> None:
    """The same decisions in another order are wrong."""
    decisions = [entry for entry in day.log["assignment.decisions"] if entry.key == b"co-1"]
    first, second = decisions[:2]
    day.rewrite(first, second.value)
    day.rewrite(second, first.value)
    assert day.says(Kind.WRONG, "out of order")


def test_an_input_that_was_not_applied(day: Day) -> None:
    """A callback that is in no batch of the journal is lost, even if it would not have changed a decision."""
    salon = Booking("co-1")
    message = salon.callback("cb-1", "completed", version=2)  # stale: nothing follows from it
    template = next(entry for entry in day.log["booking.callbacks"] if entry.key == b"co-1")
    day.append(replace(template, value=message.value))
    assert [finding.kind for finding in day.findings] == [Kind.LOST]
    assert day.says(Kind.LOST, "was never applied")


def test_a_batch_that_was_applied_twice(day: Day) -> None:
    """A journal that goes back says that records were applied twice."""
    day.append(day.log[JOURNAL][0])
    assert day.says(Kind.DOUBLED, "was applied up to")


@pytest.mark.parametrize("change", [1, -1])
def test_a_load_that_is_not_the_number_of_open_callbacks(day: Day, change: int) -> None:
    """A stored load that is one too high or too low is found by counting the callbacks."""
    entry = day.stored(rows.LOADS)[-1]
    row = rows.decode_load(entry.value or b"")
    day.append(replace(entry, value=rows.encode(rows.LoadRow(row.load + change, row.turn, row.at))))
    name = read_row_key(entry.key or b"")[2]
    assert day.says(Kind.WRONG, f"has load {row.load + change}, but {row.load} open callbacks")
    assert day.says(Kind.WRONG, name)


def test_a_turn_that_was_forgotten(day: Day) -> None:
    """A stored row that has the right load and another turn is not what the inputs come to."""
    entry = day.stored(rows.LOADS)[-1]
    row = rows.decode_load(entry.value or b"")
    day.append(replace(entry, value=rows.encode(rows.LoadRow(row.load, row.turn - 1, row.at))))
    assert day.says(Kind.WRONG, "is stored, not")


def test_a_callback_row_that_was_lost(day: Day) -> None:
    """A load without the callbacks that make it up is wrong."""
    open_row = next(
        entry
        for entry in reversed(day.stored(rows.CALLBACKS))
        if entry.value and rows.decode_callback(entry.value).carrier
    )
    day.append(replace(open_row, value=None))
    assert day.says(Kind.WRONG, "stored callbacks")


def test_changelogs_that_were_not_read(day: Day) -> None:
    """Without the rows nothing is known of the loads, and the audit does not pretend otherwise."""
    del day.log[STORED]
    assert day.says(Kind.WRONG, "has load 0, but")


def test_a_missing_outcome(day: Day) -> None:
    """A request without an end is lost."""
    outcome = day.first("delivery.outcomes", lambda event: event["type"] == "notification.sent")
    day.remove(outcome)
    assert day.says(Kind.LOST, f"{outcome.event['data']['notification_id']} has no end")


def test_a_second_end(day: Day) -> None:
    """A notification that was sent is not suppressed, too."""
    outcome = day.first("delivery.outcomes", lambda event: event["type"] == "notification.sent")
    event = {**outcome.event, "type": "notification.suppressed", "id": "another"}
    day.append(replace(outcome, value=json.dumps(event).encode()))
    assert day.says(Kind.DOUBLED, "notification.sent, notification.suppressed")


def test_an_outcome_after_the_end(day: Day) -> None:
    """Nothing can become unconfirmed that was sent."""
    outcome = day.first("delivery.outcomes", lambda event: event["type"] == "notification.sent")
    event = {**outcome.event, "type": "notification.unconfirmed", "id": "another"}
    day.append(replace(outcome, value=json.dumps(event).encode()))
    assert day.says(Kind.DOUBLED, "notification.sent, notification.unconfirmed")
    assert day.says(Kind.LOST, "has no end: it was told as notification.unconfirmed")


def test_an_outcome_of_nothing(day: Day) -> None:
    """Something that nobody had asked for cannot come to an end."""
    outcome = day.first("delivery.outcomes", lambda event: event["type"] == "notification.sent")
    day.alter(outcome, notification_id="nobody-s")
    assert day.says(Kind.WRONG, "nobody-s is under way or at its end, but nobody had asked for it")


def test_a_retry_that_never_came_out(day: Day) -> None:
    """What went into a delay topic must come out of it again."""
    waited = day.first(DELAYED).event["id"]
    day.remove(day.first("delivery.email", lambda event: event["id"] == waited))
    assert day.says(Kind.LOST, f"went into a delay topic as {waited}, and never came out")


def test_a_retry_that_came_out_too_early(day: Day) -> None:
    """Nothing is released before it is due."""
    waited = day.first(DELAYED).event["id"]
    released = day.first("delivery.email", lambda event: event["id"] == waited)
    day.log["delivery.email"].remove(released)
    day.append(replace(released, timestamp=released.timestamp - 1500))
    assert day.says(Kind.WRONG, "was released too early")


def test_an_attempt_without_its_outcome(day: Day) -> None:
    """A second attempt without word of the first one is lost."""
    day.remove(day.first("delivery.outcomes", lambda event: event["type"] == "notification.retrying"))
    assert day.says(Kind.LOST, "follows no attempt that was to be tried again")


def test_an_attempt_too_many(day: Day) -> None:
    """No channel is tried more often than its schedule says."""
    retrying = day.first("delivery.outcomes", lambda event: event["type"] == "notification.retrying").event["data"]
    requested = day.first(
        "notification.requests",
        lambda event: event["data"]["notification_id"] == retrying["notification_id"],
    )
    day.alter(requested, retry_schedule_seconds=[])
    assert day.says(Kind.DOUBLED, "is one too many: the schedule has 0 retries")


def test_a_double_dead_letter(day: Day) -> None:
    """A notification that failed once is one dead letter."""
    letter = day.first("delivery.dead-letters")
    event = {**letter.event, "id": "another"}
    day.append(replace(letter, value=json.dumps(event).encode()))
    assert day.says(Kind.DOUBLED, "failed 1 times, and is 2 dead letters")


def test_a_dead_letter_of_what_was_sent(day: Day) -> None:
    """What was sent has no dead letter."""
    sent = day.first("delivery.outcomes", lambda event: event["type"] == "notification.sent")
    day.alter(day.first("delivery.dead-letters"), notification_id=sent.event["data"]["notification_id"])
    assert day.says(Kind.DOUBLED, "failed 0 times, and is 1 dead letters")
    assert day.says(Kind.LOST, "failed, and is no dead letter")


def test_a_request_that_got_stuck(day: Day) -> None:
    """A request that never reached its channel is lost, though somebody wrote an end for it."""
    day.remove(day.log["delivery.email"][0])
    assert day.says(Kind.LOST, "never sent on its way")


def test_an_appointment_that_told_nobody(day: Day) -> None:
    """An appointment event with neither request nor suppression is lost; the whole story of it being gone."""
    request = day.first("notification.requests", lambda event: event["data"]["entity"]["id"] == "ap-1")
    whose = request.event["data"]["notification_id"]
    for topic in OUTPUTS:
        day.log[topic] = [entry for entry in day.log[topic] if whose not in (entry.value or b"").decode()]
    day.accepted = Counter({name: times for name, times in day.accepted.items() if whose not in name})
    assert [finding.kind for finding in day.findings] == [Kind.LOST]
    assert day.says(Kind.LOST, f"appointment.created {request.event['data']['caused_by']} told no customer")


def test_a_colleague_who_was_not_told(day: Day) -> None:
    """A decision that assigns has told its colleague, or says why not."""
    request = day.first("notification.requests", lambda event: event["data"]["audience"] == "staff")
    day.remove(request)
    assert day.says(Kind.LOST, f"{request.event['data']['caused_by']} told no staff")


def test_a_poison_that_vanished(day: Day) -> None:
    """A record that cannot be read and is no dead letter is lost."""
    letter = day.first("intake.dead-letters")
    day.remove(letter)
    assert day.says(Kind.LOST, f"{letter.event['id']} cannot be read (invalid_json) and is no dead letter")


def test_a_double_intake_dead_letter(day: Day) -> None:
    """Two roles that both answer for a poison make it doubled."""
    letter = day.first("intake.dead-letters")
    event = {**letter.event, "source": "/staffetta/notify"}
    day.append(replace(letter, value=json.dumps(event).encode()))
    assert day.says(Kind.DOUBLED, "is a dead letter 2 times")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"role": "notify"}, "refused by notify, but assign answers for it"),
        ({"reason": "invalid_data"}, "refused as invalid_data, but it is invalid_json"),
        ({"value_base64": base64.b64encode(b"cut").decode()}, "not what its dead letter holds"),
        ({"key_base64": None}, "not what its dead letter holds"),
        ({"timestamp": "2026-11-23T10:00:01Z"}, "not what its dead letter holds"),
        ({"headers": []}, "not what its dead letter holds"),
    ],
)
def test_a_dead_letter_that_is_not_true(day: Day, changed: dict[str, Any], words: str) -> None:
    """A dead letter has the role that answers, the reason, and every byte of the record."""
    day.alter(day.first("intake.dead-letters"), **changed)
    assert day.says(Kind.WRONG, words)


def test_a_good_record_among_the_dead_letters(day: Day) -> None:
    """A record that can be read must not be refused."""
    good, letter = day.first("booking.callbacks"), day.first("intake.dead-letters")
    event = {**letter.event, "id": good.place}
    day.append(replace(letter, value=json.dumps(event).encode()))
    assert day.says(Kind.WRONG, f"{good.place} can be read, but is a dead letter")


def test_a_mail_that_never_arrived(day: Day) -> None:
    """What is said to be sent must be in the inbox."""
    message_id = next(iter(day.accepted))
    del day.accepted[message_id]
    assert day.says(Kind.LOST, f"{message_id} never arrived")


def test_a_mail_that_arrived_again(day: Day) -> None:
    """Twice is too often, unless the first attempt was unconfirmed; then three times is."""
    once = next(name for name, times in day.accepted.items() if times == 1)
    twice = next(name for name, times in day.accepted.items() if times == 2)
    day.accepted.update([once, twice])
    assert day.says(Kind.DOUBLED, "arrived 2 times, 0 times unconfirmed")
    assert day.says(Kind.DOUBLED, "arrived 3 times, 1 times unconfirmed")


def test_a_mail_from_nowhere(day: Day) -> None:
    """A mail that no request asked for is wrong, and so is one that is said to have failed."""
    failed = day.first("delivery.outcomes", lambda event: event["type"] == "notification.failed").event["data"]
    day.accepted["<nobody.co-1@staffetta.example>"] = 1
    day.accepted[f"<{failed['notification_id']}.{failed['company_id']}@staffetta.example>"] = 1
    assert day.says(Kind.WRONG, "nobody.co-1@staffetta.example> arrived, but nobody had asked for it")
    assert day.says(Kind.WRONG, "arrived, but its outcome is notification.failed")
