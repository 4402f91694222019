"""Playing the day: records at their moment of the compressed clock, and faults on purpose in between."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from sinks.producer import EventProducer
from streams.clock import utc
from streams.demo.cases import (
    LANDLINE_NUMBER,
    NOT_MOBILE,
    PEOPLE,
    REFUSED_ADDRESS,
    SLOW_NUMBER,
    STOPPED,
    STOPPED_NUMBER,
    TOO_SLOW,
)
from streams.demo.day import Day, Planned
from streams.demo.mail_server import MailServer
from streams.demo.names import BERLIN
from streams.demo.phones import Phones
from streams.demo.reach import NOWHERE
from streams.demo.workers import Worker
from streams.settings import Settings

DROPS = 3


@dataclass(frozen=True, slots=True)
class Fault:
    at: datetime
    says: str
    do: Callable[[], None]


def faults(day: Day, workers: Sequence[Worker], mail: MailServer, phones: Phones) -> list[Fault]:
    """Three kills, a pause that is longer than the session (three hours of the day are 18 s), and servers that
    refuse, put off, and leave in doubt."""
    paused: list[int] = []
    first, second = workers

    def at(hour: int, minute: int = 0) -> datetime:
        return day.midnight.replace(hour=hour, minute=minute)

    def pause() -> None:
        paused.append(first.pause("assign"))

    def resume() -> None:
        for process in paused:
            first.resume(process)

    return [
        *(Fault(at(7), says, partial(phones.add, rule)) for says, rule in NOWHERE.items()),
        Fault(
            at(8, 30),
            f"550: the mail server refuses {REFUSED_ADDRESS} for good",
            lambda: mail.refuse(REFUSED_ADDRESS),
        ),
        Fault(
            at(8, 30),
            f"21614: Twilio says that {LANDLINE_NUMBER} is no mobile number",
            lambda: phones.add(NOT_MOBILE),
        ),
        Fault(at(9), "SIGKILL: deliver of worker 1, as it sends", lambda: first.kill("deliver")),
        Fault(at(10), "SIGKILL: assign of worker 2", lambda: second.kill("assign")),
        Fault(
            at(10, 10),
            f"Twilio takes too long to answer for {SLOW_NUMBER}",
            lambda: phones.add(TOO_SLOW),
        ),
        Fault(
            at(10, 15),
            f"STOP: {PEOPLE[STOPPED].name} answers an SMS, and wants no more",
            lambda: phones.write(STOPPED_NUMBER, "Stop"),
        ),
        Fault(at(11), '421: the mail server says "come back later" to all', lambda: mail.take_mails(False)),
        Fault(at(11, 45), "250: the mail server takes mails again", lambda: mail.take_mails(True)),
        Fault(at(12), "SIGSTOP: assign of worker 1, for longer than its session", pause),
        Fault(at(13), f"The mail server drops {DROPS} connections after the final dot", lambda: mail.drop(DROPS)),
        Fault(at(13, 30), "429: Twilio says that there are too many SMS", lambda: phones.take_sms(False)),
        Fault(at(14, 15), "201: Twilio takes SMS again", lambda: phones.take_sms(True)),
        Fault(at(15), "SIGCONT: assign of worker 1, whose partitions are long another's", resume),
        Fault(at(16), "SIGKILL: notify of worker 2", lambda: second.kill("notify")),
    ]


class Player:
    """Sends what is due; says what happens."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self._clock = settings.clock()
        self._console = console
        self._producer = EventProducer(settings.kafka_client_config(), settings.topic_prefix, self._clock)

    def send_directory(self, records: Sequence[Planned]) -> None:
        """Who works where; acknowledged before anything else is sent."""
        for record in records:
            self._producer.send(record)
        self._producer.settle()

    def play(self, timeline: Sequence[Planned], planned_faults: Sequence[Fault]) -> None:
        steps: list[Planned | Fault] = sorted([*timeline, *planned_faults], key=lambda step: step.at)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, console=self._console, disable=not self._console.is_terminal) as bar:
            task = bar.add_task("the day", total=len(timeline))
            for step in steps:
                self._wait_until(step.at)
                if isinstance(step, Fault):
                    bar.console.print(f"  {self.now:%H:%M}  {step.says}")
                    step.do()
                else:
                    self._producer.send(step)
                    bar.update(task, advance=1, description=f"{self.now:%H:%M}")
        self._producer.settle()

    @property
    def now(self) -> datetime:
        return utc(self._clock.now()).astimezone(ZoneInfo(BERLIN))

    def _wait_until(self, moment: datetime) -> None:
        seconds = self._clock.seconds_until(moment.timestamp())
        while seconds > 0:
            self._producer.serve(min(seconds, 0.2))
            time.sleep(min(seconds, 0.01))
            seconds = self._clock.seconds_until(moment.timestamp())
