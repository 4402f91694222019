"""What is written outside of transactions, to a real broker."""

from datetime import UTC, datetime
from pathlib import Path

from schemas import CONTENT_TYPE_HEADER
from streams.batch import Output
from streams.clock import ManualClock
from streams.lane.plain import PlainWriter
from streams.lane.settings import LaneSettings
from tests.support.kafka import PARTITIONS, KafkaSpace


def test_records_are_stamped_by_the_one_clock(kafka: KafkaSpace, tmp_path: Path) -> None:
    """A dead letter of `record` has the header, the place, and the time of the clock that all roles share."""
    kafka.create("intake.dead-letters")
    noon = datetime(2020, 2, 29, 12, tzinfo=UTC).timestamp()
    settings = LaneSettings(
        brokers=kafka.bootstrap,
        group=f"{kafka.prefix}staffetta-record",
        topic_prefix=kafka.prefix,
        partitions=PARTITIONS,
        data_dir=tmp_path,
        clock=ManualClock(noon),
    )
    output = Output("intake.dead-letters", b"co-7", b"{}", 1)
    PlainWriter(settings, [CONTENT_TYPE_HEADER]).write([output], lambda: None)
    (entry,) = kafka.read_all("intake.dead-letters")
    assert (entry.partition, entry.timestamp, entry.headers) == (1, noon * 1000, [CONTENT_TYPE_HEADER])
