"""Where the simulated providers are found: a port for each protocol, and one for the API that controls them."""

from collections.abc import Callable, Iterable
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from streams.simulator.control import routes as control_routes
from streams.simulator.protocols import PROTOCOLS
from streams.simulator.world import World

HOST = "127.0.0.1"
_SHUTDOWN_SECONDS = 0.05
MAX_REQUEST_BYTES = 1024 * 1024


class Door:
    """A port behind which one protocol is spoken. While it is shut, connections are refused."""

    def __init__(self, routes: Callable[[], Iterable[web.RouteDef]], port: int) -> None:
        self._routes = routes
        self._runner: web.AppRunner | None = None
        self.port = port
        self.most_at_once = 0
        """The most connections that were open when a request came."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def is_open(self) -> bool:
        return self._runner is not None

    async def open(self) -> None:
        """On the same port as before, if there was one. Raises OSError if it is taken."""
        if self._runner is not None:
            return
        app = web.Application(middlewares=[self._counting()], client_max_size=MAX_REQUEST_BYTES)
        app.add_routes(self._routes())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self.port, reuse_address=True).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def shut(self) -> None:
        """Every connection ends."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def drop_all(self) -> None:
        """End every connection, and stay open."""
        if self._runner is not None and self._runner.server is not None:
            for connection in self._runner.server.connections:
                connection.force_close()

    def _counting(self) -> Middleware:
        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self._runner is not None and self._runner.server is not None:
                self.most_at_once = max(self.most_at_once, len(self._runner.server.connections))
            return await handler(request)

        return count


class Simulator:
    """Open while the context is: the control API on `port`, the protocols on those after it (0: any that are
    free)."""

    def __init__(self, world: World | None = None, port: int = 0) -> None:
        self.world = World() if world is None else world
        after = iter(range(port + 1, port + 1 + len(PROTOCOLS)))
        self.doors = {
            name: Door(lambda protocol=protocol: protocol.routes(self.world), next(after) if port else 0)  # type: ignore[misc]
            for name, protocol in PROTOCOLS.items()
        }
        self.control = Door(lambda: control_routes(self.world, self.doors), port)

    async def __aenter__(self) -> Self:
        try:
            for door in (self.control, *self.doors.values()):
                await door.open()
        except OSError:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for door in (self.control, *self.doors.values()):
            await door.shut()
        await self.world.close()

    def settings(self) -> dict[str, str]:
        """The variables by which a worker finds the simulated providers, with the accounts that they know."""
        found: dict[str, str] = {}
        for name, protocol in PROTOCOLS.items():
            found |= protocol.settings(self.doors[name].url)
        return found
