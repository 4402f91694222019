"""A role's side: end with the supervisor, answer its questions, and say why when giving up."""

import asyncio
import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Never

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.errors import UserError
from streams.metrics import REGISTRY
from streams.supervisor import link
from streams.supervisor.exits import Exit

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether the role has recovered; `state` is a word or two for people: starting, recovering, running."""

    ready: bool
    state: str


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; nothing on systems other than Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def watch_parent() -> None:
    """End this process as soon as the supervisor is gone, however it went. Call first, in the main thread.

    The socket's end says so on every system. The kernel's death signal comes on top on Linux, because a process
    that is stopped or stuck runs no thread. Without a supervisor this does nothing.
    """
    parent = link.to_parent()
    if parent is None:
        return
    die_with_parent()

    def wait_for_the_end() -> None:
        while parent.recv(64):
            pass
        os._exit(Exit.CRASHED)

    threading.Thread(target=wait_for_the_end, name="parent", daemon=True).start()


async def serve(ready: Callable[[], Ready]) -> web.AppRunner | None:
    """Answer `/livez`, `/readyz` and `/metrics` on a free loopback port, and tell the supervisor which.

    Runs in the role's own event loop, so that an answer means that the loop runs. Without a supervisor there
    is nobody to ask, and no server: None.
    """
    if link.VARIABLE not in os.environ:
        return None
    app = web.Application()
    app.router.add_get("/livez", _livez)
    app.router.add_get("/readyz", lambda _request: _readyz(ready()))
    app.router.add_get("/metrics", _metrics)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await asyncio.to_thread(link.tell, link.Message(port=runner.addresses[0][1]))
    return runner


def give_up(error: UserError) -> Never:
    """End with the error's exit status; its message is shown once, by the supervisor if there is one."""
    if not link.tell(link.Message(failed=str(error))):
        print(error, file=sys.stderr)
    sys.stderr.flush()
    os._exit(error.exit_code)


async def _livez(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def _readyz(ready: Ready) -> web.Response:
    return web.Response(
        text=json.dumps(asdict(ready)), status=200 if ready.ready else 503, content_type="application/json"
    )


async def _metrics(_request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})
