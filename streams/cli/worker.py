"""`staffetta worker`: the roles, supervised."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from streams.cli.data_folder import prepare
from streams.logs import configure_logging
from streams.settings import load_settings
from streams.supervisor.roles import RoleName


class Which(StrEnum):
    """One role, or all of them."""

    ALL = "all"
    ASSIGN = RoleName.ASSIGN
    NOTIFY = RoleName.NOTIFY
    DELIVER = RoleName.DELIVER
    RETRY = RoleName.RETRY
    RECORD = RoleName.RECORD


def worker(role: Annotated[Which, typer.Option(help="Which role this worker runs.")] = Which.ALL) -> None:
    """Run the roles, each as a child process that is started again when it ends.

    \b
      assign     decides who calls back
      notify     decides who is told what
      deliver    sends it, by e-mail, SMS, WhatsApp or push
      retry      holds what has to wait until it is due
      record     keeps the record in the database

    Start as many workers as you like, on as many machines: they share the partitions, and whichever is killed,
    the others take over. On STAFFETTA_WEB_PORT (6066) a worker answers /livez, /readyz and /metrics for all its
    roles. Where deliver is among them, it also serves the webhooks whose secrets are set: what providers tell of a
    message, STOP and START, unsubscribe links. STAFFETTA_WEBHOOK_PORT gives them a port of their own, the only one
    that the world must reach. Ctrl-C lets the roles finish what they are at; a second one does not.
    """
    from streams.supervisor.supervisor import supervise  # an HTTP server: not for every `staffetta --help`

    roles = tuple(RoleName) if role is Which.ALL else (RoleName(role),)
    settings = load_settings(roles)
    prepare(settings.data_dir)
    configure_logging(settings.log_level, settings.log_format, "supervisor")
    asyncio.run(supervise(settings, roles))
