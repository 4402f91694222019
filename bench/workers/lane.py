"""The lane, with a role that does nothing but the workload."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import uvloop

from bench.job import Job
from bench.loads.bookings import State as Load
from bench.loads.bookings import decide
from streams.batch import Batch, Effects, Fetched, Output, Record, Runs
from streams.lane.application import create_app, run
from streams.lane.lane import Lane
from streams.lane.settings import LaneSettings
from streams.lane.store import KafkaStore
from streams.state import State


class Workload:
    name = "bench"
    topics = ("-events",)
    tables = ("load",)

    def step(self, batch: Batch, state: State) -> Effects:
        effects = Effects()
        outputs, derived, touched = effects.outputs, state.derived, set()
        for _, record in batch:
            key = record.key or b""
            load: Load | None = derived.get(key)  # type: ignore[call-overload]
            if load is None:
                row = state.get("load", key.decode(), "load")
                load = derived[key] = orjson.loads(row) if row else {}  # type: ignore[index]
            touched.add(key)
            outputs.append(Output("-decisions", key, decide(load, record.value or b"")))
        for key in touched:
            state.put("load", key.decode(), "load", orjson.dumps(derived[key]))  # type: ignore[index]
        return effects

    def recovered(self, state: State) -> None:
        pass

    def next_wakeup(self, state: State) -> float | None:
        return None

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        return fetched.take(limit)

    async def perform(self, job: Any) -> Any:
        raise NotImplementedError

    def poison(self, topic: str, record: Record, detail: str, effects: Effects) -> None:
        raise RuntimeError(detail)


def main(job: Job) -> None:
    role = Workload()
    settings = LaneSettings(
        brokers=job.brokers,
        group=job.group,
        topic_prefix=job.group,
        partitions=job.partitions,
        data_dir=Path(job.folder),
    )
    store = KafkaStore(settings, role.tables, [])
    lane = Lane(role, settings, store, lambda *_: None, lambda _: None)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(run(create_app(lane)))


if __name__ == "__main__":
    main(Job.given())
