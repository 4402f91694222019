"""What does not move on ends the process."""

import asyncio
import faulthandler
import threading
import time

import pytest

from streams.lane import watchdog
from streams.lane.watchdog import Watchdog
from tests.support.waiting import wait_until

PATIENCE = 0.3


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Why the process would have ended."""
    reasons: list[str] = []

    def end_process(why: str) -> None:
        reasons.append(why)
        threading.Event().wait()  # in the watchdog's thread, which ends with the tests

    monkeypatch.setattr(watchdog, "end_process", end_process)
    monkeypatch.setattr(faulthandler, "dump_traceback", lambda all_threads: None)
    return reasons


async def test_a_batch_that_hangs_ends_the_process(ended: list[str]) -> None:
    """A batch without progress for longer than the watchdog's patience is the end."""
    dog = Watchdog(PATIENCE)
    watch = asyncio.create_task(dog.run())
    with dog.watching("the batch"):
        await asyncio.to_thread(wait_until, lambda: ended, "the end")
    assert "the batch has made no progress" in ended[0]
    watch.cancel()


async def test_a_blocked_event_loop_ends_the_process(ended: list[str]) -> None:
    """A role that blocks the event loop is found, although heartbeats have a thread of their own."""
    watch = asyncio.create_task(Watchdog(PATIENCE).run())
    await asyncio.sleep(0)
    wait_until(lambda: ended, "the end")
    assert "the event loop has made no progress" in ended[0]
    watch.cancel()


async def test_long_work_that_moves_is_left_alone(ended: list[str]) -> None:
    """Loading may take as long as it takes while records arrive."""
    dog = Watchdog(PATIENCE)
    watch = asyncio.create_task(dog.run())
    with dog.watching("the recovery"):
        end = time.monotonic() + 4 * PATIENCE
        while time.monotonic() < end:
            dog.progress("the recovery")
            await asyncio.sleep(PATIENCE / 10)
    assert not ended
    watch.cancel()


def test_being_stopped_is_no_hanging(ended: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was stopped and goes on gets its time anew, since it had none."""
    times = iter([0.0, 0.0, 100.0, 100.0, 100.03])
    done = threading.Event()

    def sleep(_seconds: float) -> None:
        if done.is_set():
            raise SystemExit

    def monotonic() -> float:
        moment = next(times, None)
        if moment is None:
            done.set()
            return 100.06
        return moment

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", monotonic)
    dog = Watchdog(PATIENCE)
    dog.begin("the batch")  # at 0; looked at from 0 on; at 100 everything is late, at 100.03 nothing is
    with pytest.raises(SystemExit):
        dog._watch()
    assert not ended
