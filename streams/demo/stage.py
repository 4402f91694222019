"""The demo from its first line to its last: start everything, play the day, wait, check, show."""

import contextlib
import os
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from streams.app import role_topics
from streams.audit import read_settled
from streams.demo.cases import REFUSED, TIMEOUT_SECONDS
from streams.demo.courses import given_up
from streams.demo.day import Day
from streams.demo.inbox import Inbox, free_ports
from streams.demo.mail_server import MailServer
from streams.demo.names import BERLIN
from streams.demo.phones import Phones
from streams.demo.play import Player, faults
from streams.demo.report import Report, show
from streams.demo.workers import Worker
from streams.demo.world import OPENS
from streams.errors import UserError
from streams.kafka import DevKafka
from streams.settings import Settings, load_settings

SPEED = 600.0
EXPORTS = "environment"
"""The file with the settings, for a shell."""
PARTITIONS = 4
START_SECONDS = 25.0
"""Real time for the workers to start before the day's first minute."""
READY_SECONDS = 300.0
SETTLE_SECONDS = 90.0


def run(console: Console, *, seed: int, keep: bool) -> bool:
    """Whether the guarantees held. Raises UserError where something could not be started."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="staffetta-demo-")))
        brokers = os.environ.get("STAFFETTA_BROKERS")
        if not brokers:
            console.print("Starting Kafka …")
            brokers = stack.enter_context(DevKafka()).bootstrap
        inbox = stack.enter_context(Inbox())
        mail = stack.enter_context(MailServer(inbox.smtp_port))
        ports = free_ports(2)
        public_url = f"http://127.0.0.1:{ports[0]}"
        phones = stack.enter_context(Phones(public_url))
        midnight = _last_monday()
        environment = {
            **_environment(folder, brokers, mail.url, midnight),
            **phones.settings(),
            "STAFFETTA_PUBLIC_URL": public_url,
        }
        _export(environment, folder)
        for command in (["topics", "apply"], ["db", "upgrade"]):
            _staffetta(*command)
        console.print("Starting two workers, with all roles each …")
        workers = stack.enter_context(_two_workers(ports, environment, folder, console))
        settings = load_settings()
        day = Day(midnight, seed, phones.push_service)
        player = Player(settings, console)
        player.send_directory(day.directory)
        console.print(f"[bold]The day[/], {SPEED:.0f} times as fast; {day.leaver} leaves at noon")
        player.play(day.timeline, faults(day, workers, mail, phones))
        console.print("The day is over; waiting until everything is settled …")
        report = _settled(settings, day, inbox, phones)
        show(report, console)
        _explain(report, console)
        _tell(report, console)
        _show_dead_letter(report, console)
        _show_places(console, settings, workers, inbox, phones)
        if keep:
            _wait_for_interrupt(console)
        return not report.findings


def _export(environment: dict[str, str], folder: Path) -> None:
    """For this process and its children, and as a file for a shell, which need not have found `staffetta` yet."""
    os.environ.update(environment)
    exports = [f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()]
    path = f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"\n'
    (folder / EXPORTS).write_text("".join([*exports, path]))


@contextlib.contextmanager
def _two_workers(
    ports: Sequence[int], environment: dict[str, str], folder: Path, console: Console
) -> Iterator[list[Worker]]:
    """Ready before the day begins: where the machine is so busy that they were not, they start again with a day
    that begins later."""
    seconds = START_SECONDS
    while True:
        began = datetime.now(UTC) + timedelta(seconds=seconds)
        _export(environment | {"STAFFETTA_CLOCK_STARTED_AT": began.isoformat()}, folder)
        with contextlib.ExitStack() as stack:
            workers = [Worker(number, port, folder) for number, port in enumerate(ports, 1)]
            for worker in workers:
                stack.callback(worker.stop)
            _until_ready(workers)
            late = (datetime.now(UTC) - began).total_seconds()
            if late <= 0:
                yield workers
                return
        seconds = min(2 * (seconds + late), READY_SECONDS)
        console.print(f"They took long; once more, with {seconds:.0f} s for it …")


def _settled(settings: Settings, day: Day, inbox: Inbox, phones: Phones) -> Report:
    """Once every role has read everything, every request has come to an end and no receipt is on its way, or time
    is up."""
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        receipts = phones.settled()
        log = read_settled(settings, role_topics(settings), max(1.0, end - time.monotonic()))
        if phones.settled() == receipts or time.monotonic() > end:
            break
    return Report(log, settings.partitions, SPEED, inbox.messages(), phones.messages(), day.reminders)


def _environment(folder: Path, brokers: str, smtp_url: str, midnight: datetime) -> dict[str, str]:
    settings = {
        "BROKERS": brokers,
        "TOPIC_PREFIX": f"demo-{secrets.token_hex(3)}.",
        "PARTITIONS": str(PARTITIONS),
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'staffetta.db'}",
        "SMTP_URL": smtp_url,
        "SMTP_FROM": "Demo <demo@staffetta.example>",
        "RETRY_SCHEDULE_SECONDS": "300,900,1800,3600",
        "DELAY_LADDER_SECONDS": "60,300,900,3600",
        "UNCONFIRMED_GRACE_SECONDS": "1200",
        "PROVIDER_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "BREAKER_FAILURES": "10",
        "BREAKER_SECONDS": "300",
        "RECIPIENT_HASH_KEY": secrets.token_hex(32),
        "SESSION_TIMEOUT_SECONDS": "6",
        "CLOCK_ORIGIN": (midnight + OPENS).isoformat(),
        "CLOCK_SPEED": str(SPEED),
        "LOG_LEVEL": "info",
    }
    return {f"STAFFETTA_{name}": value for name, value in settings.items()}


def _last_monday() -> datetime:
    """Recent, so that nothing is past its retention; a Monday, so that everybody works."""
    today = datetime.now(ZoneInfo(BERLIN)).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday() or 7)


def _staffetta(*arguments: str) -> str:
    """Run a command of the program as a user would. Raises UserError with what it said."""
    command = [sys.executable, "-m", "streams.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"`staffetta {' '.join(arguments)}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _until_ready(workers: list[Worker]) -> None:
    end = time.monotonic() + READY_SECONDS
    while late := [worker for worker in workers if not worker.is_ready()]:
        if time.monotonic() > end:
            raise UserError(f"worker {late[0].number} is not ready:\n{late[0].tail()}")
        time.sleep(0.2)


def _explain(report: Report, console: Console) -> None:
    """One decision that somebody might ask about: a callback that changed hands, if there is one."""
    decided = [event for event in report.decided if event["data"].get("candidates")]
    moved = [event for event in decided if event["type"] == "callback.reassigned"]
    event = (moved or decided)[0]
    _show_command(console, "Who got a callback, and why:", "explain", event["id"])


def _tell(report: Report, console: Console) -> None:
    """The story of the mail that was refused, and became an SMS."""
    for (company_id, notification_id), course in report.courses.items():
        if course.recipient == REFUSED:
            what = "One notification's story:"
            _show_command(console, what, "explain", notification_id, "--company", company_id)


def _show_dead_letter(report: Report, console: Console) -> None:
    """What an operator sees of the SMS for which there was no number, and no other channel."""
    for (company_id, notification_id), _ in given_up(report.courses)[:1]:
        what = "What an operator sees of one that was given up:"
        _show_command(console, what, "dead-letters", "show", notification_id, "--company", company_id)


def _show_command(console: Console, what: str, *command: str) -> None:
    """As its user sees it, its lines unbroken."""
    console.print(f"\n[bold]{what}\n$ staffetta {' '.join(command)}[/]", soft_wrap=True)
    lines = [line.rstrip() for line in _staffetta(*command).rstrip().splitlines()]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _show_places(
    console: Console, settings: Settings, workers: list[Worker], inbox: Inbox, phones: Phones
) -> None:
    lines = [
        "\nTo look at (make demo KEEP=1 leaves it running):",
        f"  mails     {inbox.page}",
        f"  phones    {phones.page} (SMS, WhatsApp, push)",
        *(f"  worker {each.number}  {each.url}/metrics  {each.url}/readyz  {each.log}" for each in workers),
        f"  Kafka     {','.join(settings.brokers)}, topics {settings.topic_prefix}*",
        f"  database  {settings.database_url}",
        f"  commands  . {settings.data_dir / EXPORTS} && staffetta dead-letters list",
    ]
    console.print("\n".join(lines), soft_wrap=True)


def _wait_for_interrupt(console: Console) -> None:
    console.print("\nEverything goes on; Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
