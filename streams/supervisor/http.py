"""The worker's one port: `/livez`, `/readyz` and `/metrics` of all its roles together."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from streams import metrics
from streams.errors import UserError
from streams.supervisor.merge import merge
from streams.supervisor.process import RoleProcess

_ANSWER_SECONDS = 2.0
"""A child that does not answer by then is stopped, stuck or gone."""


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


@asynccontextmanager
async def serving(processes: Sequence[RoleProcess], host: str, port: int) -> AsyncIterator[str]:
    """Serve while the context is open; yields the URL. Raises UserError if the port cannot be had."""
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        endpoints = Endpoints(processes, client)
        app = web.Application()
        app.router.add_get("/livez", endpoints.livez)
        app.router.add_get("/readyz", endpoints.readyz)
        app.router.add_get("/metrics", endpoints.metrics)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            why = str(error.strerror).rpartition(": ")[2]
            raise UserError(
                f"STAFFETTA_WEB_PORT={port} on {host} cannot be used: {why}. "
                "End what listens there, or set another STAFFETTA_WEB_PORT."
            ) from error
        try:
            bound = runner.addresses[0]
            yield f"http://{bound[0]}:{bound[1]}"
        finally:
            await runner.cleanup()
