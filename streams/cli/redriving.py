"""Notifications that were given up, sent again from the database, and what was done about each."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
import typer
from sqlalchemy import Engine

from schemas import SOURCE, encode
from schemas.notifications import DeadLetter
from sinks.database import letters
from sinks.database.erasing import ERASED
from sinks.database.letters import REACHED, Filter, Letter, LetterKey
from sinks.database.paging import pages
from sinks.outgoing import Outgoing
from sinks.producer import EventProducer
from streams.cli.layout import utc_time
from streams.cli.letters import agreed, nothing, now
from streams.cli.record import opened, the_only
from streams.policy.notification.fanout import first_attempt
from streams.settings import Settings
from streams.topics import topic_admin

_SOURCE = f"{SOURCE}/redrive"


def redrive(settings: Settings, ids: Sequence[str] | None, chosen: Filter, *, yes: bool) -> bool:
    """Send those of `ids`, else all of the filter. Whether nothing is left undone that was asked for."""
    with opened(settings) as engine:
        if ids:
            keys, all_known = _keys(engine, dict.fromkeys(ids), chosen.company)
        else:
            with engine.connect() as connection:
                keys, all_known = letters.to_redrive(connection, chosen), True
            if not keys:
                typer.echo(nothing("There is nothing to send again", chosen))
                return True
            if not agreed(len(keys), "dead letter", yes=yes):
                return False
        redriver = Redriver(settings, engine)
        done = [redriver.send(page) for page in pages(keys)]
        return all(done) and all_known


def _keys(engine: Engine, ids: Iterable[str], company: str | None) -> tuple[list[LetterKey], bool]:
    """Those that are known; the others are named on stderr. Raises UserError where an id has several companies."""
    keys = []
    unknown = []
    with engine.connect() as connection:
        for id in ids:
            found = {letter["company_id"]: letter for letter in letters.letters(connection, id, company)}
            if found:
                keys.append(LetterKey(id, the_only(found, "dead letter", id, company)["company_id"]))
            else:
                unknown.append(id)
                typer.echo(f"{id}  is no dead letter in the database", err=True)
    return keys, not unknown


class Verdict(NamedTuple):
    is_well: bool
    said: str


class Redriver:
    """Writes requests to their priority topics, waits for the brokers, then notes it in the database. What dies in
    between is written again by the next press with the same number, and `deliver` takes a number once."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._admin = topic_admin(settings)
        self._producer = EventProducer(settings.kafka_client_config(), settings.topic_prefix, settings.clock())
        self._checked: set[str] = set()

    def send(self, keys: Iterable[LetterKey]) -> bool:
        """Says of each what was done. Whether nothing stands in the way of any."""
        at = now(self._settings)
        with self._engine.connect() as connection:
            found = [each for key in keys for each in letters.letters(connection, *key)]
        redriven: dict[LetterKey, int] = {}
        verdicts = [self._send(letter, at, redriven) for letter in found]
        self._producer.settle()
        with self._engine.begin() as connection:
            letters.mark(connection, redriven, at)
        for verdict in verdicts:
            typer.echo(verdict.said)
        return all(verdict.is_well for verdict in verdicts)

    def _send(self, letter: Letter, at: datetime, redriven: dict[LetterKey, int]) -> Verdict:
        if (verdict := hindrance(letter)) is not None:
            return verdict
        id, number = letter["notification_id"], next_number(letter)
        out = outgoing(letter, number, at)
        if out is None:
            return Verdict(False, f"{id}  not sent again: none of its channels can be used")
        self._write(out)
        redriven[LetterKey(id, letter["company_id"])] = number
        return Verdict(True, _said(letter, number, out.topic))

    def _write(self, out: Outgoing) -> None:
        if out.topic not in self._checked:
            self._admin.check([out.topic])
            self._checked.add(out.topic)
        self._producer.send(out)


def hindrance(letter: Letter) -> Verdict | None:
    """Why it cannot, or need not, be sent again."""
    id = letter["notification_id"]
    if letter["recipient_id"] == ERASED:
        return Verdict(False, f"{id}  not sent again: its customer has been erased")
    if letter["status"] in REACHED:
        return Verdict(True, f"{id}  has arrived meanwhile: nothing to do")
    return None


def next_number(letter: Letter) -> int:
    """One more than the letter's own. Where a redrive of it came to an end without another letter, because it was
    suppressed, one more than that redrive's."""
    if letter["redriven"] is not None and letter["status"] == "suppressed":
        return int(max(letter["redriven"], letter["redrive"])) + 1
    return int(letter["redrive"]) + 1


def outgoing(letter: Letter, number: int, at: datetime) -> Outgoing | None:
    """The request's first attempt, anew; None where no channel of its chain can be used."""
    data = DeadLetter.model_validate_json(orjson.dumps(letter["data"]))
    message = first_attempt(data, at, number)
    if message is None:
        return None
    value = encode(
        message.type,
        id=message.id,
        source=_SOURCE,
        time=at,
        subject=message.subject,
        company_id=data.company_id,
        data=message.data,
    )
    return Outgoing(data.notification_id, message.topic, data.company_id.encode(), value)


def _said(letter: Letter, number: int, topic: str) -> str:
    line = f"{letter['notification_id']}  sent again as redrive {number} on {topic}"
    if letter["redriven"] is not None:
        line += f"; it was before, at {utc_time(letter['redriven_at'])}, and what was sent then is not sent twice"
    return line
