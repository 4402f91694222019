"""Records that could not be read, written to their topics again as they were, or corrected."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import typer
from sqlalchemy import Engine

from schemas import EVENT_TYPES, Ignored, Refused
from schemas.intake import from_base64
from sinks.database import letters
from sinks.database.letters import Filter, Letter
from sinks.database.tables import intake_dead_letters
from sinks.outgoing import Outgoing, judge
from sinks.producer import EventProducer
from streams.cli.letters import agreed, nothing, now, one_intake
from streams.cli.record import opened
from streams.errors import UserError
from streams.settings import Settings
from streams.topics import topic_admin


@dataclass(frozen=True, slots=True)
class Correction:
    """What replaces the record's value and key; None: they stay. With `check`, what would be refused again is kept
    back."""

    value: bytes | None = None
    key: str | None = None
    check: bool = True


def redrive(
    settings: Settings, ids: Sequence[str] | None, chosen: Filter, correction: Correction, *, yes: bool
) -> bool:
    """Send those of `ids`, else all of the filter. Whether all were sent."""
    with opened(settings) as engine:
        if not ids:
            with engine.connect() as connection:
                query = letters.wanted_intake(chosen, intake_dead_letters.c.id)
                ids = [str(id) for id in connection.scalars(query)][::-1]
            if not ids:
                typer.echo(nothing("There is nothing to send again", chosen))
                return True
            if not agreed(len(ids), "record", yes=yes):
                return False
        resender = Resender(settings, engine, correction)
        sent = [resender.send(id) for id in dict.fromkeys(ids)]
        return all(sent)


class Resender:
    def __init__(self, settings: Settings, engine: Engine, correction: Correction) -> None:
        self._settings = settings
        self._engine = engine
        self._correction = correction
        self._admin = topic_admin(settings)
        self._producer = EventProducer(settings.kafka_client_config(), settings.topic_prefix, settings.clock())

    def send(self, id: str) -> bool:
        """Says what was done. Whether the record was written."""
        with self._engine.connect() as connection:
            try:
                letter = one_intake(connection, id)
            except UserError as error:
                typer.echo(f"{id}  not sent again: {error}", err=True)
                return False
        out = outgoing(letter, self._correction)
        if self._correction.check and (problem := refusal(out)):
            typer.echo(
                f"{id}  not sent again: it would be refused as {problem}. Correct a copy and give it as --file "
                "(a wrong key: --key), or say --no-check",
                err=True,
            )
            return False
        self._admin.check([out.topic])
        self._producer.send(out)
        self._producer.settle()
        with self._engine.begin() as connection:
            letters.mark_intake(connection, [id], now(self._settings))
        before = " once more" if letter["redriven_at"] is not None else ""
        typer.echo(f"{id}  sent again{before} to {out.topic}")
        return True


def outgoing(letter: Letter, correction: Correction) -> Outgoing:
    """The record as it was received, but for the correction. It goes where its key belongs; one that needs no key,
    where it was."""
    value = letter["value"] if correction.value is None else correction.value
    key = letter["key"] if correction.key is None else correction.key.encode()
    headers = [(name, from_base64(content)) for name, content in letter["headers"]]
    kind = EVENT_TYPES.get(_type_of(value, dict(headers)))
    partition = letter["partition"] if kind is not None and not kind.keyed else -1
    return Outgoing(letter["id"], letter["topic"], key, value, headers, partition)


def refusal(out: Outgoing) -> str | None:
    """Why the record's readers would refuse it, in words, or None."""
    try:
        judge(out.topic, out)
    except Refused as refused:
        return f"{refused.reason} ({refused.detail})"
    except Ignored as ignored:
        return f"unknown: {out.topic} has no type {ignored.type!r}"
    return None


def _type_of(value: bytes | None, headers: dict[str, bytes | None]) -> str:
    """As far as it can be told."""
    binary = headers.get("ce_type")
    if binary is not None:
        return binary.decode(errors="replace")
    try:
        return str(orjson.loads(value or b"")["type"])
    except (ValueError, KeyError, TypeError):
        return ""
