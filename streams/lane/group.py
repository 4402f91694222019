"""What we are to the group, and whether another process has taken our place in it."""

from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.lane.settings import LaneSettings


class Member(NamedTuple):
    generation: int
    id: str
    """Empty when the group does not know us, or not any more."""


def is_taken_over(settings: LaneSettings, member: Member) -> bool:
    """Whether somebody who is not `member` is in the group under our static member id.

    Asked of the broker, because aiokafka cannot tell: it knows no error FENCED_INSTANCE_ID, and its heartbeats
    carry no static id, so that they are answered like those of a member whose session ran out. False when the
    broker does not answer: then the next attempt will tell.
    """
    admin = AdminClient(dict(settings.kafka))
    try:
        group = admin.describe_consumer_groups([settings.group], request_timeout=5)[settings.group].result()
    except KafkaException:
        return False
    return any(
        each.group_instance_id == settings.instance_id and each.member_id != member.id for each in group.members
    )
