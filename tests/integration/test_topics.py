"""Creating, comparing and checking topics on a real cluster."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from streams.errors import UserError
from streams.topics import (
    CONTRACT_TOPICS,
    TopicAdmin,
    TopicSpec,
    UnreachableError,
    WrongConfig,
    WrongCount,
    changelog,
)
from tests.support.kafka import PARTITIONS, KafkaSpace
from tests.support.waiting import wait_until

WANTED = (*CONTRACT_TOPICS[:2], changelog("assign"))
NAMES = [spec.name for spec in WANTED]


@pytest.fixture
def admin(kafka: KafkaSpace) -> TopicAdmin:
    return TopicAdmin({"bootstrap.servers": kafka.bootstrap}, kafka.prefix, PARTITIONS)


def test_apply_creates_what_is_missing_and_is_done_then(admin: TopicAdmin) -> None:
    """After `apply` the plan is empty: the brokers took every setting as it was meant."""
    assert admin.apply(WANTED).missing == WANTED
    wait_until(lambda: not admin.plan(WANTED), "an empty plan")
    assert not admin.apply(WANTED)
    admin.check(NAMES)


def test_every_topic_of_the_contract_can_be_created(admin: TopicAdmin) -> None:
    """No setting of any topic is one that Kafka refuses."""
    admin.apply(CONTRACT_TOPICS)
    wait_until(lambda: not admin.plan(CONTRACT_TOPICS), "an empty plan")


def test_more_replicas_than_brokers(kafka: KafkaSpace) -> None:
    """A replication factor that the cluster cannot have is named with its setting, and with what to do."""
    admin = TopicAdmin({"bootstrap.servers": kafka.bootstrap}, kafka.prefix, PARTITIONS, 1000)
    with pytest.raises(UserError, match=r"STAFFETTA_REPLICATION_FACTOR=1000: .* at most the number of brokers"):
        admin.apply(WANTED)


def test_plan_changes_nothing(admin: TopicAdmin) -> None:
    """Planning twice finds the same topics missing."""
    assert admin.plan(WANTED) == admin.plan(WANTED)
    assert admin.partition_counts() == {}


def test_other_configuration_is_shown_and_corrected(kafka: KafkaSpace, admin: TopicAdmin) -> None:
    """A retention that somebody changed is named with both values, and set right by `apply`; the rest stays."""
    spec = WANTED[0]
    kafka.create(spec.name, config={**spec.config, "retention.ms": "60000", "flush.messages": "7"})
    expected = (WrongConfig(spec.name, "retention.ms", "60000", spec.config["retention.ms"]),)
    assert admin.apply([spec]).wrong_config == expected
    wait_until(lambda: not admin.plan([spec]), "an empty plan")
    kept = TopicSpec(spec.name, {"flush.messages": "7"})
    assert not admin.plan([kept])


def test_other_partition_count_stops_everything(kafka: KafkaSpace, admin: TopicAdmin) -> None:
    """One topic with another number of partitions: `plan` says so, `apply` names it and creates nothing else."""
    kafka.create(WANTED[1].name, partitions=3, config=WANTED[1].config)
    assert admin.plan(WANTED).wrong_count == (WrongCount(WANTED[1].name, 3),)
    with pytest.raises(UserError, match=rf"{kafka.prefix}{WANTED[1].name} \(3\)") as refused:
        admin.apply(WANTED)
    assert refused.value.exit_code == 1
    assert admin.partition_counts() == {WANTED[1].name: 3}


def test_check_names_a_missing_topic(kafka: KafkaSpace, admin: TopicAdmin) -> None:
    """A role whose topic is missing is told the topic and the command that creates it."""
    kafka.create(*NAMES[:2])
    with pytest.raises(UserError, match=f"no topic {kafka.prefix}{NAMES[2]}: run `staffetta topics apply`"):
        admin.check(NAMES)


def test_check_names_a_topic_with_another_count(kafka: KafkaSpace, admin: TopicAdmin) -> None:
    """A role refuses a topic with another number of partitions, naming it and both numbers."""
    kafka.create(NAMES[0])
    kafka.create(NAMES[1], partitions=1)
    with pytest.raises(UserError, match=rf"PARTITIONS is {PARTITIONS}, .*: {kafka.prefix}{NAMES[1]} \(1\)\."):
        admin.check(NAMES[:2])


def test_nobody_there() -> None:
    """Where no broker answers, one line says where, why, and what to do."""
    admin = TopicAdmin({"bootstrap.servers": "127.0.0.1:1"}, "", PARTITIONS)
    with pytest.raises(
        UnreachableError, match=r"no broker answers at 127\.0\.0\.1:1 \(.*refused\): set STAFFETTA_BROKERS"
    ):
        admin.partition_counts()


def test_big_poison_fits_where_it_belongs(kafka: KafkaSpace, admin: TopicAdmin) -> None:
    """A dead letter of 3 MB, which holds a poison message of the greatest size, is taken by its topic only."""
    specs = {spec.name: spec for spec in CONTRACT_TOPICS}
    admin.apply([specs["intake.dead-letters"], specs["booking.callbacks"]])
    send = _sender(kafka, b"x" * 3_000_000)
    assert send("intake.dead-letters") is None
    refused = send("booking.callbacks")
    assert refused is not None
    assert refused.code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_a_fast_clock_may_run_ahead(kafka: KafkaSpace, admin: TopicAdmin) -> None:
    """A record a day ahead of the brokers' clock is taken, as it is when a day is played in a minute."""
    admin.apply(CONTRACT_TOPICS[:1])
    tomorrow = int((time.time() + 86_400) * 1000)
    kafka.produce(CONTRACT_TOPICS[0].name, [("co-1", "{}")], timestamp=tomorrow)
    assert [entry.timestamp for entry in kafka.read_all(CONTRACT_TOPICS[0].name)] == [tomorrow]


def _sender(kafka: KafkaSpace, value: bytes) -> Callable[[str], KafkaError | None]:
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "message.max.bytes": 5_000_000})

    def send(topic: str) -> KafkaError | None:
        answers: list[KafkaError | None] = []
        try:
            producer.produce(
                kafka.prefix + topic, key="co-1", value=value, on_delivery=lambda error, _: answers.append(error)
            )
        except KafkaException as error:
            return error.args[0]
        assert producer.flush(30) == 0
        return answers[0]

    return send
