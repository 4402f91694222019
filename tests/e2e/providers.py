"""The providers of SMS, WhatsApp and push, simulated, and the address at which they find a system's workers."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from streams.simulator import Accepted, Rule, Simulator, World
from streams.simulator.control import shown
from streams.simulator.protocols import webpush
from tests.support.simulated import Run, looping

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536


class Providers:
    """What goes wrong is said by rules, at any time; `simulator.world` has the rest of what they know."""

    def __init__(self, simulator: Simulator, front: "Front", run: Run) -> None:
        self.simulator = simulator
        self.front = front
        self._run = run

    @property
    def settings(self) -> dict[str, str]:
        """By which workers find them, as `System` takes settings; and they the workers, by PUBLIC_URL."""
        found = {**self.simulator.settings(), "STAFFETTA_PUBLIC_URL": self.front.url}
        return {name.removeprefix("STAFFETTA_").lower(): value for name, value in found.items()}

    @property
    def accepted(self) -> list[Accepted]:
        return list(self.simulator.world.accepted)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was accepted, as `GET /messages` shows it."""
        return [shown(message) for message in self.accepted]

    def to(self, recipient: str) -> list[Accepted]:
        """A phone number as the provider has it, a token, or a browser's name."""
        return [message for message in self.accepted if message.call.recipient == recipient]

    def rule(self, rule: Rule) -> str:
        return self.simulator.world.rules.add(rule)

    def browser(self, name: str) -> dict[str, object]:
        """Its subscription, as a customer's `push.web_push` takes it."""
        return webpush.subscription(self.simulator.doors[webpush.NAME].url, name)

    def away(self, protocol: str) -> None:
        """Its connections end, and new ones are refused."""
        self._run(self.simulator.doors[protocol].shut())

    def back(self, protocol: str) -> None:
        self._run(self.simulator.doors[protocol].open())

    def settled(self) -> None:
        """Until every receipt that is on its way has been answered."""
        self._run(self.simulator.world.settled())


class Front:
    """One address before all workers, as a load balancer has it: each connection leads to the first that listens.

    `ports` are asked for with each connection, as workers come, go, and listen wherever a port is free.
    """

    def __init__(self) -> None:
        self.ports: Callable[[], Sequence[int]] = tuple
        self.url = ""
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._lead, HOST, 0)
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in self.ports():
            with contextlib.suppress(OSError):
                from_worker, to_worker = await asyncio.open_connection(HOST, port)
                await asyncio.gather(_pass_on(reader, to_worker), _pass_on(from_worker, writer))
                return
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while content := await reader.read(CHUNK_BYTES):
            writer.write(content)
            await writer.drain()
    writer.close()


@contextmanager
def providers() -> Iterator[Providers]:
    """Open while the context is."""
    with looping("providers") as run:
        front = Front()
        run(front.open())
        simulator = Simulator(World(public_url=front.url))
        run(simulator.__aenter__())
        try:
            yield Providers(simulator, front, run)
        finally:
            run(simulator.__aexit__())
            run(front.shut())
