"""Which of the fetched records `deliver` takes next: what it hears of, then messages, the most urgent first; also
more than there are free sending slots, so that it sees who else is waiting."""

from collections.abc import Mapping

from streams.batch import Fetched, Runs
from streams.policy.delivery.ahead import Ahead
from streams.policy.delivery.intents import Line
from streams.policy.delivery.known import hearing

Topics = Mapping[Line, str]
"""The most urgent first."""


def pick(fetched: Fetched, topics: Topics, ahead: Ahead, partition: int, limit: int) -> Runs:
    """Of a mass of what is heard half a batch, so that sending goes on."""
    runs = fetched.take(max(1, limit // 2), hearing.TOPICS)
    left = limit - _count(runs)
    for line, topic in topics.items():
        taken = fetched.take(min(left, ahead.room(partition, line)), (topic,))
        runs += taken
        left -= _count(taken)
    return runs


def _count(runs: Runs) -> int:
    return sum(len(records) for _, records in runs)
