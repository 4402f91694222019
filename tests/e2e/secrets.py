"""What nobody may read who reads our logs, metrics, outcomes or tables, and all that there is to read."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote

import sqlalchemy as sa

from schemas.event_types import (
    DEAD_LETTERS,
    INTAKE_DEAD_LETTERS,
    OUTCOMES,
    RECEIPTS,
    REQUESTS,
)
from schemas.notifications import NotificationRequest, Recipient
from sinks.database.tables import metadata
from streams.audit import Log
from streams.audit.reading import readable
from streams.settings import Settings
from tests.e2e.mixed_load import MARKS
from tests.e2e.system import System

PASSWORD = "geheimes/passwort der post"
KEYS = {
    "recipient_hash_key": "geheimer-schluessel-der-adressen",
    "webhook_email_token": "geheimes-wort-der-bounces",
    "whatsapp_verify_token": "geheimes-wort-fuer-meta",
}
"""The settings that no provider gives."""
GIVEN = ("twilio_auth_token", "whatsapp_token", "whatsapp_app_secret", "vapid_private_key")
"""Those that the simulated ones give."""
MEANT_TO_HOLD = {
    "dead_letters": {"data"},
    "entities": {"data"},
    "intake_dead_letters": {"key", "value", "headers"},
}
"""Table -> columns with whole messages: what is sent again, or shown to whoever looks for a customer."""
BROWSERS_ASKED = 20
"""Of each kind of notification: to look for every key would take a minute."""
SHORTEST = 12
"""A line of a text with fewer characters says nothing of anybody."""

Secrets = Mapping[str, str]
"""A secret -> what it is."""


def of_the_settings(settings: Settings) -> Secrets:
    found = {PASSWORD: "smtp_url", quote(PASSWORD, safe=""): "smtp_url", "ya29.": "an access token"}
    found |= {str(getattr(settings, name)): name for name in (*KEYS, *GIVEN)}
    credentials = json.loads(settings.fcm_credentials or "")
    return found | {credentials["private_key"].splitlines()[1]: "fcm_credentials"}


def of_the_customers(log: Log, partitions: int) -> Secrets:
    """What all addresses have in common, the keys of some browsers, and every line of what is told: of each text
    one example, for in the others only names and times differ."""
    found = dict.fromkeys(MARKS, "an address")
    told: Counter[tuple[str, str]] = Counter()
    for _, event in readable(log, REQUESTS, partitions):
        request = cast(NotificationRequest, event.data)
        for channel, content in request.contents.items():
            told[channel, request.event_type] += 1
            if told[channel, request.event_type] == 1:
                lines = [*content.body_text.splitlines(), content.subject or ""]
                found |= {line.strip(): "a text" for line in lines if len(line.strip()) >= SHORTEST}
            if told[channel, request.event_type] <= BROWSERS_ASKED:
                found |= dict.fromkeys(_keys(request.recipient), "a browser's key")
    return found


def _keys(recipient: Recipient) -> tuple[str, ...]:
    browser = None if recipient.push is None else recipient.push.web_push
    return () if browser is None else (browser.keys.auth, browser.keys.p256dh)


def left_behind(system: System, log: Log) -> Iterator[tuple[str, str]]:
    """(where, text) of everything that a run has written, but where whole messages are meant to be."""
    for file in system.folder.rglob("*"):
        if file.is_file():
            yield file.name, file.read_bytes().decode(errors="replace")
    for worker in system.workers:
        if worker.process.poll() is None:
            yield "metrics", worker.get("/metrics")[1]
    yield from _topics(log)
    yield from _tables(system.database)


def _topics(log: Log) -> Iterator[tuple[str, str]]:
    for topic in (OUTCOMES, RECEIPTS):
        for entry in log[topic]:
            yield entry.place, f"{entry.key!r} {(entry.value or b'').decode()} {entry.headers}"
    for entry in log[DEAD_LETTERS]:
        data = entry.event["data"]
        yield entry.place, json.dumps([data["reason"], data.get("error"), data["attempts"]], ensure_ascii=False)
    for entry in log[INTAKE_DEAD_LETTERS]:
        yield entry.place, entry.event["data"]["detail"]


def _tables(database: sa.Engine) -> Iterator[tuple[str, str]]:
    with database.connect() as connection:
        for table in metadata.sorted_tables:
            columns = [each for each in table.c if each.name not in MEANT_TO_HOLD.get(table.name, ())]
            for row in connection.execute(sa.select(*columns)):
                yield table.name, _text(row)


def _text(row: Iterable[Any]) -> str:
    return " ".join(value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in row)


def disclosed(secrets: Secrets, written: Iterable[tuple[str, str]]) -> list[str]:
    """Where what was found, in words that disclose nothing themselves."""
    by_place: dict[str, list[str]] = {}
    for where, text in written:
        by_place.setdefault(where.partition("/")[0], []).append(text)
    texts = {where: "\n".join(each) for where, each in by_place.items()}
    found = ((where, what) for where, text in texts.items() for secret, what in secrets.items() if secret in text)
    return sorted({f"{where} discloses {what}" for where, what in found})
