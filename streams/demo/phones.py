"""The providers of SMS, WhatsApp and push, simulated in a thread of the demo's, and told what goes wrong."""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from streams.demo.telling import approved
from streams.simulator import Fault, Inbound, Kind, Rule, Simulator, World
from streams.simulator.control import shown
from streams.simulator.protocols import twilio, webpush

_SECONDS = 20.0
"""For what is asked of the thread; it has nothing else to do."""

_TOO_MANY = Rule(protocol=twilio.NAME, fault=Fault(kind=Kind.REFUSE, code=twilio.BUSY))


class Phones:
    """Open while the context is. `webhooks` is what is put before the paths of the webhooks."""

    def __init__(self, webhooks: str) -> None:
        self._world = World(public_url=webhooks, templates=approved())
        self._simulator = Simulator(self._world)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="phones", daemon=True)
        self._standing: list[Rule] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._simulator.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._simulator.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)
        self._loop.close()

    @property
    def page(self) -> str:
        return self._simulator.control.url

    @property
    def push_service(self) -> str:
        return self._simulator.doors[webpush.NAME].url

    def settings(self) -> dict[str, str]:
        """By which workers find the providers."""
        return self._simulator.settings()

    def add(self, rule: Rule) -> None:
        """From now on, for good."""
        self._standing.append(rule)
        self._run(self._apply())

    def take_sms(self, yes: bool) -> None:
        """While it takes none, Twilio says that there are too many."""
        self._run(self._apply(*(() if yes else (_TOO_MANY,))))

    def write(self, sender: str, text: str) -> None:
        """Somebody answers the SMS that they got."""
        self._run(self._write(Inbound(sender, twilio.FROM, text)))

    def settled(self) -> int:
        """Wait until every receipt that is on its way has been answered. How many there were so far."""
        self._run(self._world.settled())
        return len(self._world.posted)

    def messages(self) -> list[dict[str, Any]]:
        """What was accepted, as the control API shows it."""
        return [shown(message) for message in list(self._world.accepted)]

    async def _apply(self, *first: Rule) -> None:
        """The first that strikes decides, so what is for everybody comes before the rest."""
        self._world.rules.clear()
        for rule in (*first, *self._standing):
            self._world.rules.add(rule)

    async def _write(self, said: Inbound) -> None:
        posting = twilio.inbound(self._world, said)
        assert posting is not None, "the webhooks are known"
        self._world.post([posting])

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_SECONDS)
