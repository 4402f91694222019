"""An HTTP server that records what it is sent, byte for byte, and answers what it is told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    """With its query, as it came."""
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Recorder:
    """Every request is answered with `status` and `answer`, as JSON unless it is bytes."""

    status: int = 201
    answer: Any = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    async def _handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Request(request.method, request.raw_path, headers, await request.read()))
        body = self.answer if isinstance(self.answer, bytes) else orjson.dumps(self.answer)
        return web.Response(status=self.status, body=body, content_type="application/json")


@asynccontextmanager
async def recording(status: int = 201, answer: Any = None) -> AsyncIterator[Recorder]:
    recorder = Recorder(status, {} if answer is None else answer)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", recorder._handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    recorder.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield recorder
    finally:
        await runner.cleanup()
