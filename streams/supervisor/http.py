"""The worker's one port: `/livez`, `/readyz` and `/metrics` of all its roles together, and the webhooks."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from streams import metrics
from streams.errors import UserError
from streams.supervisor.merge import merge
from streams.supervisor.process import RoleProcess

log = structlog.get_logger(__name__)

_ANSWER_SECONDS = 2.0
"""A child that does not answer by then is stopped, stuck or gone."""
_IDLE_SECONDS = 75.0
"""A connection that has brought no request for so long, with all its headers, is closed. Most reverse proxies let
go of an idle one earlier, and so never find it closed when they want to use it again."""


class Endpoints:
    def __init__(self, processes: Sequence[RoleProcess], client: aiohttp.ClientSession) -> None:
        self._processes = processes
        self._client = client

    async def livez(self, _request: web.Request) -> web.Response:
        """The supervisor runs; what happens to its children is its business, not its own supervisor's."""
        return web.Response(text="ok\n")

    async def readyz(self, _request: web.Request) -> web.Response:
        states = await asyncio.gather(*map(self._state, self._processes))
        roles = {process.role: state for process, state in zip(self._processes, states, strict=True)}
        ready = all(state["ready"] for state in states)
        return web.Response(
            text=json.dumps({"ready": ready, "roles": roles}) + "\n",
            status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
            content_type="application/json",
        )

    async def metrics(self, _request: web.Request) -> web.Response:
        texts = await asyncio.gather(*(self._ask(process, "/metrics") for process in self._processes))
        answered = {}
        for process, text in zip(self._processes, texts, strict=True):
            metrics.ROLE_UP.labels(process.role).set(text is not None)
            if text is not None:
                answered[process.role] = text
        body = merge(metrics.SUPERVISOR_REGISTRY, answered)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _state(self, process: RoleProcess) -> dict[str, Any]:
        text = await self._ask(process, "/readyz")
        if text is not None:
            state: dict[str, Any] = json.loads(text)
        else:
            state = {"ready": False, "state": "not answering" if process.port else process.state}
        return {**state, "restarts": process.restarts, "pid": process.pid}

    async def _ask(self, process: RoleProcess, path: str) -> str | None:
        """The child's answer, whatever its status; None if it has none."""
        if process.port is None:
            return None
        try:
            async with self._client.get(f"http://127.0.0.1:{process.port}{path}") as response:
                return await response.text()
        except (aiohttp.ClientError, TimeoutError):
            return None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Further routes; `port` None: on the same port as the others."""

    add_to: Callable[[web.Application], None]
    port: int | None


@asynccontextmanager
async def serving(
    processes: Sequence[RoleProcess], host: str, port: int, webhooks: Webhooks | None = None
) -> AsyncIterator[str]:
    """Serve while the context is open; yields the URL. Raises UserError if a port cannot be had."""
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        endpoints = Endpoints(processes, client)
        app = web.Application()
        app.router.add_get("/livez", endpoints.livez)
        app.router.add_get("/readyz", endpoints.readyz)
        app.router.add_get("/metrics", endpoints.metrics)
        if webhooks is not None and webhooks.port is None:
            webhooks.add_to(app)
        elif webhooks is not None and webhooks.port is not None:
            public = web.Application()
            webhooks.add_to(public)
            url = await stack.enter_async_context(_listening(public, host, webhooks.port, "WEBHOOK_PORT"))
            log.info("webhooks served", url=url)
        yield await stack.enter_async_context(_listening(app, host, port, "WEB_PORT"))


@asynccontextmanager
async def _listening(app: web.Application, host: str, port: int, setting: str) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=_IDLE_SECONDS)
    await runner.setup()
    try:
        await _start(web.TCPSite(runner, host, port), f"STAFFETTA_{setting}", f"{port} on {host}")
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()


async def _start(site: web.TCPSite, setting: str, place: str) -> None:
    try:
        await site.start()
    except OSError as error:
        why = str(error.strerror).rpartition(": ")[2]
        raise UserError(
            f"{setting}={place} cannot be used: {why}. End what listens there, or set another {setting}."
        ) from error
