"""`staffetta produce`: events from a file or a pipe into Kafka."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from schemas.event_types import DIRECTORY
from sinks.event_lines import EventLine, WrongLineError, parse_line
from sinks.producer import EventProducer
from streams.cli.progress import progress
from streams.errors import UserError
from streams.settings import load_settings
from streams.topics import topic_admin

SHOWN_WRONG_LINES = 20


def produce(
    file: Annotated[str, typer.Argument(metavar="FILE", help="One event a line; - for a pipe.")],
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Events per second.", show_default="as fast as it goes")
    ] = None,
    check: Annotated[
        bool, typer.Option(help="Refuse events that would end as dead letters; without, only address them.")
    ] = True,
) -> None:
    """Send the events of a file: one CloudEvent in structured JSON a line.

    \b
      {"specversion": "1.0", "id": "1", "source": "/shop", "type": "company.upserted", "data": {…}}

    The topic follows from the type; the key is partitionkey, else data.company_id. Events go in the order of the
    lines, and what follows an entry of the directory waits until that is written.

    A file is checked first: if a line is wrong, nothing is sent. From a pipe, wrong lines are named and left out.
    Either way the exit status is 1.

    \b
      staffetta produce events.jsonl
      staffetta produce events.jsonl --rate 50
      generate | staffetta produce -
    """
    settings = load_settings()
    if file != "-" and not Path(file).exists():
        raise UserError(f"there is no file {file}", exit_code=2)
    wrong = WrongLines(file)
    is_pipe = not Path(file).is_file()  # "-", or a named pipe, which could not be read twice
    total = None if is_pipe else _check_file(file, check, wrong)
    admin = topic_admin(settings)
    producer = EventProducer(settings.kafka_client_config(), settings.topic_prefix, settings.clock())
    sender = Sender(producer, lambda topic: admin.check([topic]), rate)
    started = time.monotonic()
    try:
        with progress("Sending", total) as advance:
            for line in _lines(file, check and is_pipe, wrong):
                sender.send(line)
                advance(1)
            producer.settle()
    except BaseException:
        producer.discard()
        if producer.acknowledged:
            typer.echo(f"{producer.acknowledged} events were written before that", err=True)
        raise
    _report(sender.sent, time.monotonic() - started)
    wrong.raise_if_any("were left out")
    if not sender.sent:
        typer.echo(f"There was no event in {file}", err=True)


class WrongLines:
    """Names wrong lines on stderr as they are found, the first ones in full."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found = 0

    def add(self, error: WrongLineError) -> None:
        self._found += 1
        if self._found <= SHOWN_WRONG_LINES:
            typer.echo(f"{self._source}:{error.number}: {error}", err=True)
        elif self._found == SHOWN_WRONG_LINES + 1:
            typer.echo("…", err=True)

    def raise_if_any(self, what_became: str) -> None:
        if self._found:
            lines = "1 line is" if self._found == 1 else f"{self._found} lines are"
            raise UserError(f"{lines} wrong and {what_became}")


class Sender:
    """Sends lines in file order, at a rate; no event overtakes the directory before it."""

    def __init__(self, producer: EventProducer, check_topic: Callable[[str], None], rate: float | None) -> None:
        self._producer = producer
        self._check_topic = check_topic
        self._interval = 1 / rate if rate else 0.0
        self._due: float | None = None
        self._last_topic = ""
        self.sent: Counter[str] = Counter()

    def send(self, line: EventLine) -> None:
        if line.topic not in self.sent:
            self._check_topic(line.topic)
        # Topics are read side by side: only what is written before the next record is sent is surely before it.
        if self._last_topic == DIRECTORY and line.topic != DIRECTORY:
            self._producer.settle()
        self._wait_for_turn()
        self._producer.send(line)
        self._last_topic = line.topic
        self.sent[line.topic] += 1

    def _wait_for_turn(self) -> None:
        if not self._interval:
            return
        now = time.monotonic()
        # Time lost by a slow broker or pipe is made up for, up to a second's worth.
        due = now if self._due is None else max(self._due, now - 1)
        while (seconds := due - time.monotonic()) > 0:
            self._producer.serve(seconds)
        self._due = due + self._interval


def _check_file(file: str, check: bool, wrong: WrongLines) -> int:
    """The number of events. Raises UserError if a line is wrong, after all of them were looked at."""
    total = sum(1 for _ in _lines(file, check, wrong))
    wrong.raise_if_any("nothing was sent")
    return total


def _lines(file: str, check: bool, wrong: WrongLines) -> Iterator[EventLine]:
    with sys.stdin.buffer if file == "-" else open(file, "rb") as texts:
        for number, text in enumerate(texts, start=1):
            if not text.strip():
                continue
            try:
                yield parse_line(number, text, check=check)
            except WrongLineError as error:
                wrong.add(error)


def _report(sent: Counter[str], seconds: float) -> None:
    typer.echo(f"{sent.total()} events written in {seconds:.1f} s")
    for topic, count in sorted(sent.items()):
        typer.echo(f"  {topic}  {count}")
