"""The whole road: what a booking system writes, and what comes of it for people, operators and programs."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.event_types import APPOINTMENTS, CALLBACKS, COMMANDS, DECISIONS, DIRECTORY
from tests.e2e.messages import in_two_days, opening
from tests.e2e.system import ROLES, System, system
from tests.e2e.workers import Worker
from tests.support.booking import Booking, customer
from tests.support.waiting import wait_until

TOLD = ("appointment.created", "callback.received", "callback.assigned")


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path, prepared=False) as made:
        yield made


def test_from_the_first_command_to_the_last_mail(road: System) -> None:
    """Prepared, started and fed as the README has it, an appointment and a callback become three mails, a decision
    that can be explained, rows and figures; when it is told to, everything ends in order."""
    assert "booking.callbacks: 2 partitions" in road.staffetta("topics", "apply").stdout
    assert "Done." in road.staffetta("db", "upgrade").stdout
    worker = road.ready()
    assert worker.get("/livez") == (200, "ok\n")
    assert {name: role["state"] for name, role in worker.roles.items()} == dict.fromkeys(ROLES, "running")

    salon = Booking("co-7")
    day = [
        *opening(salon, told=TOLD),
        salon.appointment(
            starts_at=in_two_days(), customer=customer(name="Erika Muster", email="erika@kundin.example")
        ),
        salon.callback("cb-17", customer=customer(customer_id="cu-2", email="jo@kunde.example")),
    ]
    file = road.folder / "day.jsonl"
    file.write_text("".join(json.dumps(message.event) + "\n" for message in day))
    produced = road.staffetta("produce", str(file))
    assert produced.returncode == 0, produced.stderr

    log = road.check()
    decision = log["assignment.decisions"][0].event
    assert (decision["type"], decision["data"]["staff_id"]) == ("callback.auto_assigned", "st-1")
    assert decision["data"]["basis"] == {DIRECTORY: len(day) - 3, CALLBACKS: 0}
    _check_mails(road)
    explained = road.staffetta("explain", "cb-17").stdout
    assert f"Decision {decision['id']}" in explained
    assert "st-1 Kollegin st-1, chosen by load_based" in explained
    assert road.lag() == 0
    assert {name: role["restarts"] for name, role in worker.roles.items()} == dict.fromkeys(ROLES, 0)

    worker.leave()
    assert worker.ended() == 0
    left = worker.logged("let go of partitions")
    assert {entry["role"] for entry in left} == set(ROLES)


def _check_mails(road: System) -> None:
    """Who was told what: the customers by name, the colleague of the callback."""
    mails = {mail.recipient: mail.parsed for mail in road.box.mails}
    assert set(mails) == {"erika@kundin.example", "jo@kunde.example", "st-1@salon.example"}
    assert len(road.box.mails) == 3
    body = mails["erika@kundin.example"].get_body(("plain",))
    assert body is not None
    assert "Erika Muster" in body.get_content()
    assert all(mail["From"].addresses[0].addr_spec == "post@staffetta.example" for mail in mails.values())


def test_every_record_is_counted_once(road: System) -> None:
    """`/metrics` says what became of every record, by role, and counts decisions, outcomes and dead letters."""
    road.prepare()
    worker = road.ready()
    salon = Booking("co-7")
    known, command = salon.callback("cb-1"), salon.auto_assign("cb-1")
    unknown = known.but(type="callback.praised", id="praise")
    road.send(*opening(salon, told=TOLD), known, unknown, known, salon.appointment(starts_at=in_two_days()))
    wait_until(lambda: road.events(DECISIONS), "the decision that the command comes too late for", 60)
    road.send(command, command)
    road.produce(CALLBACKS, b"co-7", b"nonsense")
    road.flush()
    log = road.check()
    # Counted once it is committed, so a moment after it can be read.
    mails = "staffetta_outcomes_total", "channel", "type", "reason"
    wait_until(lambda: sum(counted(worker, *mails, role="deliver").values()) >= 3, "the last mail to be counted")

    def intake(topic: str, role: str) -> dict[str, int]:
        return counted(worker, "staffetta_intake_total", "result", topic=topic, role=role)

    assert intake(CALLBACKS, "assign") == {"applied": 1, "stale": 1, "ignored": 1, "dead_letter": 1}
    assert intake(COMMANDS, "assign") == {"applied": 1, "duplicate": 1}
    assert intake(APPOINTMENTS, "notify") == {"applied": 1}
    for topic in (DIRECTORY, CALLBACKS, COMMANDS, APPOINTMENTS):
        everybody = counted(worker, "staffetta_intake_total", "topic", topic=topic)
        assert everybody == {topic: len(log[topic])}
    decisions = counted(worker, "staffetta_decisions_total", "type", "reason", role="assign")
    assert decisions == {
        ("callback.auto_assigned", "load_based"): 1,
        ("callback.command_refused", "already_assigned"): 1,
    }
    assert counted(worker, *mails, role="deliver") == {("email", "notification.sent", "none"): 3}
    dead = counted(worker, "staffetta_dead_letters_total", "topic", "reason", role="assign")
    assert dead == {("intake.dead-letters", "invalid_json"): 1}
    assert counted(worker, "staffetta_role_up", "role") == dict.fromkeys(ROLES, 1)
    said = worker.logged("event type is not known here", type="callback.praised")
    assert [entry["role"] for entry in said] == ["assign"]


def counted(worker: Worker, name: str, *labels: str, **wanted: str) -> dict[str | tuple[str, ...], int]:
    """A metric's values by these labels, of the samples with the wanted ones; those that are not 0."""
    status, text = worker.get("/metrics")
    assert status == 200
    found: Counter[str | tuple[str, ...]] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and wanted.items() <= sample.labels.items():
                values = tuple(sample.labels[label] for label in labels)
                found[values if len(values) > 1 else values[0]] += int(sample.value)
    return {values: number for values, number in found.items() if number}
