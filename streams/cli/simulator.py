"""`staffetta simulator`: the providers of SMS, WhatsApp and push, simulated."""

import asyncio
import shlex
import signal
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from streams.errors import UserError


def simulator(
    port: Annotated[
        int,
        typer.Option(min=0, max=65000, help="Of the control API, the protocols on the next ones; 0: any free."),
    ] = 6070,
    webhooks: Annotated[
        str | None,
        typer.Option(
            help="What is put before the webhooks' paths: the worker's STAFFETTA_PUBLIC_URL.",
            show_default="no inbound messages, and receipts only where a message names their URL",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the faults that come at a rate.")] = 0,
) -> None:
    """Run the providers, simulated, until Ctrl-C: nobody is written to, and nothing costs anything.

    It speaks their protocols on this machine, checks requests as strictly as they do, sends signed receipts, and
    fails when it is told to. The settings that it prints lead a worker to it.

    \b
      staffetta simulator --webhooks http://127.0.0.1:6066
      curl 127.0.0.1:6070/messages                     what was accepted
      curl 127.0.0.1:6070/rules -d '{"recipient": "+4915*", "fault": {"kind": "refuse", "code": 21614}}'
      curl 127.0.0.1:6070/rules -d '{"rate": 0.1, "fault": {"kind": "error"}}'
      curl 127.0.0.1:6070/rules -d '{"nth": 3, "fault": {"kind": "cut", "accepts": true}}'
      curl 127.0.0.1:6070/inbound -d '{"protocol": "twilio", "from": "+49…", "to": "+49…", "text": "STOP"}'
      curl -X PUT 127.0.0.1:6070/doors/twilio -d '{"open": false}'

    docs/simulator.md has every fault, every way to choose for whom it comes, and the rest of the API.
    """
    asyncio.run(_run(port, webhooks, seed))


async def _run(port: int, webhooks: str | None, seed: int) -> None:
    from streams.simulator import Simulator, World
    from streams.simulator.faults import Rules
    from streams.simulator.world import webhooks_url

    try:
        public = {"STAFFETTA_PUBLIC_URL": webhooks_url(webhooks)} if webhooks is not None else {}
    except ValueError as error:
        raise UserError(f"--webhooks {webhooks}: {error}", exit_code=2) from error
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    world = World(Rules(seed), public_url=webhooks)
    async with AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(Simulator(world, port))
        except OSError as error:
            raise UserError(
                f"a port from {port} on cannot be had ({error.strerror}); choose others with --port"
            ) from error
        typer.echo(f"The providers are ready; they are controlled at {opened.control.url}\n")
        for name, value in (opened.settings() | public).items():
            typer.echo(f"  export {name}={shlex.quote(value)}")
        typer.echo("\nCtrl-C stops them.")
        await ended.wait()
    typer.echo("Stopped.")
