"""Whose event it is, where it lies, and whether it contradicts itself."""

import pytest

from schemas import CONTENT_TYPE_HEADER, Refused, decode
from schemas.callbacks import Callback
from schemas.reasons import RefusedReason
from tests.unit.schemas.examples import CALLBACK, CHOICE, EXAMPLES, INTAKE_REFUSED
from tests.unit.schemas.records import Kafka, read, refused, structured, topic_of, written


@pytest.mark.parametrize("key", [None, b"", b"co-8", b"co-7 ", b"\xff"])
def test_the_key_is_the_company(key: bytes | None) -> None:
    """A key that is missing or not the company's id is refused, and the refusal names the type."""
    verdict = refused("booking.callbacks", structured("callback.requested", CALLBACK)._replace(key=key))
    assert (verdict.reason, verdict.type) == (RefusedReason.KEY_MISMATCH, "callback.requested")


def test_a_partitionkey_that_is_not_the_key_is_refused() -> None:
    """`partitionkey`, where given, says the same as the key."""
    record = structured("callback.requested", CALLBACK, partitionkey="co-8")
    assert refused("booking.callbacks", record).reason is RefusedReason.KEY_MISMATCH


def test_a_record_in_another_partition_than_its_key_gives_is_refused() -> None:
    """A producer with another partitioner is found out, since its events would be out of order."""
    record = structured("callback.requested", CALLBACK)
    right = [number for number in range(12) if _is_read(record._replace(partition=number), 12)]
    assert len(right) == 1
    wrong = record._replace(partition=(right[0] + 1) % 12)
    assert refused("booking.callbacks", wrong, 12).reason is RefusedReason.WRONG_PARTITION


def _is_read(record: Kafka, partitions: int) -> bool:
    try:
        decode("booking.callbacks", record, partitions)
    except Refused:
        return False
    return True


def test_records_of_no_company_are_read_whatever_their_key() -> None:
    """The journal, dead letters of the intake and an opt-out from an account lie where their writer put them."""
    everybody = {name: value for name, value in CHOICE.items() if name != "company_id"}
    for name, data in (
        ("address.opted_out", everybody),
        ("assignment.applied", EXAMPLES["assignment.applied"]),
        ("intake.refused", INTAKE_REFUSED),
    ):
        record = Kafka(written(name, data, None), key=b"anything", headers=[CONTENT_TYPE_HEADER], partition=11)
        assert decode(topic_of(name), record, 12).company_id == ""


def test_an_opt_out_from_one_company_has_that_companys_key() -> None:
    """Where an opt-out names a company, the key must be that company's."""
    record = structured("address.opted_out", CHOICE)._replace(key=b"co-8")
    assert refused("delivery.receipts", record).reason is RefusedReason.KEY_MISMATCH


@pytest.mark.parametrize("status", ["contacted", "completed", "cancelled", "expired"])
def test_a_status_that_contradicts_the_type_is_refused(status: str) -> None:
    """`callback.completed` of a pending callback is refused as inconsistent, likewise the others."""
    record = structured(f"callback.{status}", CALLBACK | {"status": "pending"})
    assert refused("booking.callbacks", record).reason is RefusedReason.INCONSISTENT


def test_an_assignment_by_hand_names_somebody() -> None:
    """`callback.assigned` without `assigned_to` is refused as inconsistent."""
    record = structured("callback.assigned", CALLBACK | {"assigned_to": None})
    assert refused("booking.callbacks", record).reason is RefusedReason.INCONSISTENT


@pytest.mark.parametrize("name", ["callback.requested", "callback.updated", "callback.unassigned"])
def test_the_status_counts_where_the_type_says_nothing_of_it(name: str) -> None:
    """An update may tell any status."""
    event = read(name, CALLBACK | {"status": "completed"})
    assert isinstance(event.data, Callback)
    assert event.data.status == "completed"
