"""A transaction that Kafka counts as ended, and that never ended in the changelog.

Brokers of Kafka 4.3 and 4.4 take a partition without a leader for a deleted one (KAFKA-20734). A coordinator
that comes back before it, as after the crash of a single broker, then forgets to write there how a transaction
ended that was being ended. Its records are hidden from readers until their producer ends another transaction in
that partition; then they share its fate. Whoever loads before does not see a batch that is durable, and whose
jobs may have been done, does it once more, and makes both visible.

So what hangs is ended before anything is loaded. After the fence nobody can be at it, so it is not merely under
way.
"""

import logging
import time
from collections.abc import Callable, Mapping

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition

from streams.lane.loading import STALLED_AFTER, ends_of
from streams.lane.settings import LaneSettings
from streams.lane.transaction import Transactions

log = logging.getLogger("staffetta.lane")

Row = tuple[bytes, bytes | None]


def end_hanging(
    settings: LaneSettings,
    changelog: str,
    writers: Mapping[int, Transactions],
    last_key: bytes,
    progress: Callable[[], None],
) -> None:
    """Call this after the fence and before loading. `last_key`: of the row that a batch writes last.

    A batch that is there to its last row is committed: that was, most probably, what was not written down. (Had it
    been about to be aborted just when the broker died, outputs that never arrived will be missing.) One that
    is not was never asked to be committed, and is aborted.

    Raises KafkaException, or TimeoutError when it hangs all the same.
    """
    end = time.monotonic() + STALLED_AFTER
    ended: set[int] = set()
    while hanging := _hanging(settings, changelog, writers):
        progress()
        if time.monotonic() > end:
            raise TimeoutError(f"partitions {sorted(hanging)} of {changelog} have transactions that do not end")
        for number in hanging.keys() - ended:
            key, row = _last_row(settings, changelog, number, *hanging[number])
            whole = key == last_key
            what = "committed, for it is whole" if whole else "aborted, for it is not whole"
            log.error("a transaction in partition %d of %s was never ended: it is %s", number, changelog, what)
            writers[number].end_hanging(key, row, commit=whole)
            ended.add(number)


def _hanging(
    settings: LaneSettings, changelog: str, writers: Mapping[int, Transactions]
) -> dict[int, tuple[int, int]]:
    """Partition -> from which offset on, and before which, records are hidden."""
    ends = ends_of(settings, changelog, writers, IsolationLevel.READ_UNCOMMITTED)
    stable = ends_of(settings, changelog, writers, IsolationLevel.READ_COMMITTED)
    return {number: (stable[number], end) for number, end in ends.items() if stable[number] < end}


def _last_row(settings: LaneSettings, changelog: str, number: int, start: int, end: int) -> Row:
    consumer = Consumer(
        {
            **settings.kafka,
            "group.id": f"{settings.group}-load",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_uncommitted",
            "fetch.wait.max.ms": 5,
        }
    )
    try:
        consumer.assign([TopicPartition(changelog, number, start)])
        row: Row = b"", None
        while (message := consumer.poll(STALLED_AFTER)) is not None:
            error = message.error()
            if error is None:
                row = message.key() or b"", message.value()
            elif error.code() == KafkaError._PARTITION_EOF:
                if (message.offset() or 0) >= end:  # a broker that has just become the leader may know of less
                    return row
            elif error.fatal() or not error.retriable():
                raise KafkaException(error)
        raise TimeoutError(f"reading {changelog}/{number} from {start} to {end} does not move on")
    finally:
        consumer.close()
