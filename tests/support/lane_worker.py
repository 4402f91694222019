"""A worker of its own process for tests of the lane: counts, and says what it counted.

    python -m tests.support.lane_worker BROKERS PREFIX DATA_DIR [OPTION=VALUE ...]

Topics `events` and `commands`; every record adds one to its key's counter in table `counts`, and every event is
answered by one output in `answers`: the record's value and the count. Values that begin with `raise` raise,
with `exit` end the process, with `hang` hang it, with `job` start a job whose completion is counted in `jobs`.
"""

import asyncio
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import uvloop

from streams.batch import Batch, Effects, Fetched, Output, Record, Runs
from streams.lane import fetching
from streams.lane.application import create_app, run
from streams.lane.lane import Lane
from streams.lane.settings import LaneSettings
from streams.lane.store import KafkaStore
from streams.state import State

log = logging.getLogger("worker")


class LateLane(Lane):
    """Opens some seconds after Faust has told it to, so that much can come between the seek and the opening."""

    late = 0.0

    def open(self) -> None:
        log.warning("SOUGHT")
        asyncio.get_running_loop().call_later(self.late, self._open)

    def _open(self) -> None:
        super().open()
        log.warning("OPENED")


class Counting:
    name = "counting"
    topics = ("events", "commands")
    tables = ("counts", "ticks")

    def __init__(self, slow: float = 0.0, tick: float = 0.0) -> None:
        self._slow = slow
        self._tick = tick

    def step(self, batch: Batch, state: State) -> Effects:
        effects = Effects()
        if self._slow:
            time.sleep(self._slow)
        for job, waited in batch.completions:
            self._count(state, "jobs", job)
            effects.outputs.append(Output("answers", job.encode(), orjson.dumps({"job": job, "waited": waited})))
        for topic, record in batch:
            key, value = (record.key or b"").decode(), (record.value or b"").decode()
            self._misbehave(value)
            count = self._count(state, "all", key)
            if value.startswith("job"):
                effects.jobs.append(value)
            if topic == "events":
                answer = {"value": value, "count": count, "offset": record.offset, "partition": record.partition}
                effects.outputs.append(Output("answers", record.key, orjson.dumps(answer)))
        self._tick_if_due(batch, state, effects)
        return effects

    def _misbehave(self, value: str) -> None:
        if value.startswith("raise"):
            raise ValueError(value)
        if value.startswith("exit"):
            os._exit(9)
        if value.startswith("hang"):
            time.sleep(3600)

    def _count(self, state: State, scope: str, key: str) -> int:
        count = int(state.get("counts", scope, key) or b"0") + 1
        state.put("counts", scope, key, str(count).encode())
        return count

    def _tick_if_due(self, batch: Batch, state: State, effects: Effects) -> None:
        moment = self.next_wakeup(state)
        if moment is not None and moment <= batch.now:
            last = state.get("ticks", "tick", "last") or b"0"
            state.put("ticks", "tick", "last", str(batch.now).encode())
            state.shared = batch.now
            tick = {"tick": state.partition, "at": batch.now, "last": float(last)}
            effects.outputs.append(Output("answers", b"tick", orjson.dumps(tick)))

    def recovered(self, state: State) -> None:
        state.shared = float(state.get("ticks", "tick", "last") or 0)
        counts = {scope: dict(state.rows("counts", scope)) for scope in state.scopes("counts")}
        readable = {scope: {key: int(value) for key, value in rows.items()} for scope, rows in counts.items()}
        log.warning("RECOVERED %s", orjson.dumps({"partition": state.partition, **readable}).decode())

    def next_wakeup(self, state: State) -> float | None:
        return state.shared + self._tick if self._tick else None

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        return fetched.take(limit)

    async def perform(self, job: Any) -> Any:
        seconds = float(job.partition(":")[2] or 0)
        await asyncio.sleep(seconds)
        return job, seconds

    def poison(self, topic: str, record: Record, detail: str, effects: Effects) -> None:
        value = (record.value or b"").decode()
        letter = orjson.dumps({"topic": topic, "value": value, "detail": detail})
        effects.outputs.append(Output("poison", record.key, letter))


def main(brokers: str, prefix: str, data_dir: str, *options: str) -> None:
    given = dict(option.split("=") for option in options)
    role = Counting(float(given.get("slow", 0)), float(given.get("tick", 0)))
    settings = LaneSettings(
        brokers=brokers,
        group=f"{prefix}counting",
        data_dir=Path(data_dir),
        partitions=int(given.get("partitions", 2)),
        topic_prefix=prefix,
        session_timeout=float(given.get("session", 6)),
        rebalance_timeout=10,
        let_go_timeout=float(given.get("let_go", 4)),
        max_batch=int(given.get("batch", 500)),
        watchdog=float(given.get("watchdog", 60)),
        buffer_bytes=int(given.get("buffer", 64 * 1024 * 1024)),
        instance_id=given.get("instance", ""),
    )

    def applied(batch: Batch, effects: Effects, seconds: float) -> None:
        log.debug("APPLIED %d records in %.4f s", len(batch), seconds)

    def recovered(seconds: float) -> None:
        log.warning("READY %.3f", seconds)

    fetching.FETCH_SECONDS = float(given.get("fetch", fetching.FETCH_SECONDS))
    LateLane.late = float(given.get("late", 0))
    kind = LateLane if LateLane.late else Lane
    lane = kind(role, settings, KafkaStore(settings, role.tables, []), applied, recovered)
    app = create_app(lane)
    logging.basicConfig(level=given.get("loglevel", "INFO"), format="%(asctime)s %(name)s %(message)s")
    uvloop.run(run(app))


if __name__ == "__main__":
    main(*sys.argv[1:])
