"""`retry`: holds what has to wait in the delay topics, and sends it on when its time has come.

It has no state of its own: a record rests at the head of its topic until the topic's delay has passed, and its
position moves on only when it is released.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, NoReturn, cast

from agents import intake
from schemas import Event, encode
from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName, IntakeResult, RefusedReason
from sinks.channels import CHANNELS
from streams.batch import Batch, Effects, Fetched, Output, Record, Runs
from streams.clock import utc
from streams.policy.delivery.ladder import delay_topics, released_at, way
from streams.state import State

ROLE = "retry"


@dataclass(slots=True)
class Heads:
    """When the first of the records that wait at the heads is released; None: nothing waits."""

    next_release: float | None = None


class Retry:
    """The role. `partitions` is the topics' partition count, `ladder_seconds` the delays of the delay topics,
    `channels` those that have topics to go back to."""

    name = ROLE
    tables: tuple[str, ...] = ()

    def __init__(
        self,
        partitions: int,
        ladder_seconds: Sequence[int],
        *,
        channels: Collection[ChannelName] = tuple(CHANNELS),
    ) -> None:
        self._channels = channels
        self._partitions = partitions
        self._ladder = ladder_seconds
        self._delays = delay_topics(ladder_seconds)

    @staticmethod
    def reads(ladder_seconds: Sequence[int]) -> tuple[str, ...]:
        """Its input topics, longest delay first."""
        return tuple(delay_topics(ladder_seconds))

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(self._delays)

    def step(self, batch: Batch, state: State) -> Effects:
        effects = Effects()
        for topic, record in batch:
            event = intake.read(topic, record, partitions=self._partitions, role=ROLE, effects=effects)
            if event is None:
                continue
            due = cast(AttemptDue, event.data)
            channel = due.attempt_channel or due.channel
            if channel not in self._channels:
                detail = f"there is no channel {channel} here"
                intake.refuse(topic, record, RefusedReason.INCONSISTENT, detail, role=ROLE, effects=effects)
                continue
            effects.counted[intake.INTAKE, topic, IntakeResult.APPLIED] += 1
            effects.outputs.append(self._onward(event, due, channel, batch.now))
        return effects

    def recovered(self, state: State) -> None:
        state.shared = Heads()

    def next_wakeup(self, state: State) -> float | None:
        heads: Heads = state.shared
        return heads.next_release

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        """Of each topic what is released by now: those behind the first that is not wait with it."""
        runs: Runs = []
        moments: list[float] = []
        for topic, delay_seconds in self._delays.items():
            if limit <= 0:
                moments.append(now)
                break
            released = self._released(fetched, topic, delay_seconds, limit, now)
            runs += fetched.take(released, (topic,))
            limit -= released
            moments += [released_at(delay_seconds, head.timestamp) for head in islice(fetched.waiting(topic), 1)]
        state.shared.next_release = min(moments, default=None)
        return runs

    async def perform(self, job: Any) -> NoReturn:
        raise NotImplementedError("retry starts no jobs")

    def poison(self, topic: str, record: Record, detail: str, effects: Effects) -> None:
        intake.refuse(topic, record, RefusedReason.PROCESSING_FAILED, detail, role=ROLE, effects=effects)

    def _released(self, fetched: Fetched, topic: str, delay_seconds: int, limit: int, now: float) -> int:
        first = islice(fetched.waiting(topic), limit)
        return sum(1 for _ in takewhile(lambda each: released_at(delay_seconds, each.timestamp) <= now, first))

    def _onward(self, event: Event, due: AttemptDue, channel: ChannelName, now: float) -> Output:
        """The same event, one topic further."""
        value = encode(
            event.type,
            id=event.id,
            source=event.source,
            time=event.time or utc(now),
            subject=event.subject,
            company_id=due.company_id,
            data=due,
        )
        topic = way(self._ladder, due.due_at.timestamp(), now, channel, due.priority)
        return Output(topic, due.company_id.encode(), value)
