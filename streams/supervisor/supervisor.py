"""All roles of a worker, from the first start to an orderly end."""

import asyncio
import signal
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from streams import metrics
from streams.settings import Settings
from streams.supervisor.backoff import Backoff
from streams.supervisor.http import Webhooks, serving
from streams.supervisor.process import RoleProcess
from streams.supervisor.roles import RoleName
from streams.webhooks import add_webhooks

log = structlog.get_logger(__name__)

_LEAVING_SECONDS = 3.0
"""For leaving the group and ending, after what was in flight is finished."""


def role_command(role: str) -> Sequence[str]:
    return [sys.executable, "-m", "streams.app", role]


@dataclass(frozen=True, slots=True)
class Supervision:
    """What a test may want otherwise. After `stop_seconds`, children that did not leave are killed; None: a little
    after they would end by themselves."""

    command: Callable[[str], Sequence[str]] = role_command
    backoff: Callable[[], Backoff] = field(default=Backoff)
    stop_seconds: float | None = None


async def supervise(
    settings: Settings, roles: Collection[RoleName], supervision: Supervision | None = None
) -> None:
    """Run the roles until SIGTERM or SIGINT.

    Raises UserError with what a role found that a person must mend, or if the HTTP port cannot be had.
    """
    how = supervision or Supervision()
    environment = _clock_environment(settings)
    processes = [RoleProcess(role, how.command(role), environment, how.backoff()) for role in roles]
    for role in roles:
        metrics.ROLE_RESTARTS.labels(role)
    webhooks = _webhooks(settings) if RoleName.DELIVER in roles else None
    async with serving(processes, settings.web_host, settings.web_port, webhooks) as url:
        log.info("worker started", roles=",".join(roles), url=url, **environment)
        await _until_the_end(processes, how.stop_seconds or settings.let_go_seconds + _LEAVING_SECONDS)


def _webhooks(settings: Settings) -> Webhooks:
    """Where `deliver` is: it reads what they write."""
    return Webhooks(partial(add_webhooks, settings=settings), settings.webhook_port)


async def _until_the_end(processes: Sequence[RoleProcess], stop_seconds: float) -> None:
    signalled = _on_signals(processes)
    running = {asyncio.create_task(process.run()): process for process in processes}
    waiting = asyncio.create_task(signalled.wait())
    await asyncio.wait({*running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for process in processes:
        process.stop()
    _, late = await asyncio.wait(running, timeout=stop_seconds)
    for task in late:
        log.warning("role did not leave in time and is killed", killed=running[task].role)
        running[task].kill()
    results = await asyncio.gather(*running, return_exceptions=True)
    log.info("worker ended")
    for result in results:
        if isinstance(result, BaseException):
            raise result


def _on_signals(processes: Sequence[RoleProcess]) -> asyncio.Event:
    """The first SIGTERM or SIGINT sets the event, the next kills."""
    signalled = asyncio.Event()

    def on_signal() -> None:
        if signalled.is_set():
            for process in processes:
                process.kill()
        else:
            log.info("worker stops; a second signal kills")
        signalled.set()

    for which in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(which, on_signal)
    return signalled


def _clock_environment(settings: Settings) -> Mapping[str, str]:
    """What makes a clock that is not the wall clock the same one in every process, restarted ones too."""
    if settings.clock_origin is None or settings.clock_started_at is None:
        return {}
    return {
        "STAFFETTA_CLOCK_ORIGIN": settings.clock_origin.isoformat(),
        "STAFFETTA_CLOCK_STARTED_AT": settings.clock_started_at.isoformat(),
    }
