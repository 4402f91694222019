"""`staffetta demo`: one day of a German chain in about a minute, faults included, and then checked."""

from typing import Annotated

import typer


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running afterwards, for a look.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed is another day.")] = 7,
) -> None:
    """Play one day of a German chain on a real Kafka, with faults on purpose, and check what came of it.

    12 branches, 60 people, 478 appointments and 300 callbacks, in about two minutes, told by e-mail, SMS, WhatsApp
    and push. Workers are killed and paused; the mail server and the simulated providers put off, refuse, and leave
    in doubt. It starts Kafka, a mail inbox and the providers for itself (needs the extra `demo`); with
    STAFFETTA_BROKERS set, that cluster is used instead. Exit status 1 if something was lost or doubled.
    """
    from rich.console import Console

    from streams.cli.ending import end_on_signals
    from streams.demo.stage import run  # all roles, for the replay: not for every `staffetta --help`

    end_on_signals()
    if not run(Console(highlight=False), seed=seed, keep=keep):
        raise typer.Exit(1)
