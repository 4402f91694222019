"""The rows of `notify`'s state: what it decides by, as bytes.

Every row begins with when it may be forgotten (seconds since the epoch in record time; 0: never) and, for an
entity, the version known. New fields go to the end, with a default, so that older rows stay readable.

    directory  company, branch/<id>, service/<id>, staff/<id>, customer/<id>, config/<id>, template/<id>, by
               which configurations it is used: users/<template id>, and what routing asks for:
               route/<event type>/<audience>/<level>/<level id>
    entities   appointment/<id>, callback/<id>
    waiting    messages that cannot be written before something else is known
    reminders  appointment id -> what is settled of its reminders
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from streams.policy.notification.facts import Facts
from streams.policy.notification.moments import Timing
from streams.policy.notification.triggers import Trigger

DIRECTORY: Final = "directory"
ENTITIES: Final = "entities"
WAITING: Final = "waiting"
REMINDERS: Final = "reminders"
TABLES = (DIRECTORY, ENTITIES, WAITING, REMINDERS)

DAY = 86_400
KEPT = 30 * DAY
"""Seconds of record time for which the finished and the deleted are remembered; the inputs live for 14 days."""


Hours = tuple[str, str]
"""Quiet hours: their start and end, as `HH:MM`."""
Approved = tuple[str, str, tuple[str, ...]]
"""A provider's template: its name, its language, and the placeholders that fill it, in order."""


class Row(msgspec.Struct, array_like=True, frozen=True, gc=False):
    forget_at: int


class Versioned(Row, array_like=True, frozen=True, gc=False):
    version: int


class Company(Versioned, array_like=True, frozen=True, gc=False):
    name: str = ""
    locale: str = ""
    sender_name: str = ""
    reply_to: str = ""
    quiet: Hours | None = None
    zone: str = ""


class Branch(Versioned, array_like=True, frozen=True, gc=False):
    """A branch that was deleted keeps its name and zone while its last appointments are being cancelled."""

    name: str = ""
    zone: str = ""
    address: str = ""
    phone: str = ""
    sender_name: str = ""
    reply_to: str = ""
    quiet: Hours | None = None


class Service(Versioned, array_like=True, frozen=True, gc=False):
    name: str = ""
    confidential: bool = False


class Staff(Versioned, array_like=True, frozen=True, gc=False):
    """Addresses as received; None for somebody who was deleted."""

    name: str = ""
    email: str | None = None
    phone: str | None = None

    @property
    def has_left(self) -> bool:
        return self.forget_at != 0


class Reader(Versioned, array_like=True, frozen=True, gc=False):
    """A customer's own choices: of language, channels, quiet hours and their zone; after an erasure only the
    version, and when that was."""

    locale: str | None = None
    channels: tuple[str, ...] = ()
    """In the order in which they are to be tried."""
    unsubscribed: tuple[tuple[str, str | None], ...] = ()
    """(channel, event type) of what must not be sent; None: of whatever type."""
    quiet: Hours | None = None
    zone: str | None = None
    """As received."""
    erased_at: float | None = None
    """The record time in seconds of the last erasure: what is as of then or before is told to nobody."""


class ConfigPlace(Versioned, array_like=True, frozen=True, gc=False):
    """Under which route a configuration stands; empty: it was deleted."""

    route: str = ""
    template_id: str = ""


class Template(Versioned, array_like=True, frozen=True, gc=False):
    """A company's own text for one channel, as Jinja sources that were looked at; no channel: it was deleted."""

    channel: str = ""
    subject: str | None = None
    text: str = ""
    html: str | None = None
    names: tuple[str, ...] = ()
    """The placeholders used."""
    approved: Approved | None = None
    """What the provider knows it by."""


class Users(Row, array_like=True, frozen=True):
    """(configuration id, event type) of each configuration that uses one template."""

    configs: tuple[tuple[str, str], ...] = ()


class Config(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One configuration, as routing needs it. `channels`: the configured one, then its fallbacks."""

    id: str
    version: int
    is_enabled: bool
    channels: tuple[str, ...]
    retry_schedule_seconds: tuple[int, ...] | None
    template_id: str = ""
    reminder: Timing | None = None
    """When a reminder falls due; None for everything else."""


class Route(Row, array_like=True, frozen=True):
    """Every configuration of one level for one event type and audience, by id."""

    configs: tuple[Config, ...] = ()


class Appointment(Versioned, array_like=True, frozen=True):
    """`facts` is None when only a deletion was ever heard of."""

    facts: Facts | None = None


class Ruling(msgspec.Struct, array_like=True, frozen=True):
    """What a decision says about who has a callback, and where it stands in the log."""

    type: str
    id: str
    source: str
    offset: int
    staff_id: str | None
    previous_staff_id: str | None
    seen: int | None
    """Offset of the last callback event that was applied before it was decided; None: not said."""


class Said(StrEnum):
    """What a word is: a decision of ours, or what the booking system says."""

    DECIDED = "decided"
    SNAPSHOT = "snapshot"
    UNASSIGNED = "unassigned"
    CLOSED = "closed"


class Word(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What was said of who has a callback. `at`: its offset; a decision's: of the last snapshot it has seen."""

    at: int
    said: Said
    staff_id: str | None
    decision_id: str | None


class Owner(msgspec.Struct, array_like=True, frozen=True):
    """Who has a callback, and who was told so. `said`, `ours`, `confirmed` and `before` are what was so before
    `words`."""

    holder: str | None = None
    told: str | None = None
    """The colleague who was told last and not told otherwise since."""
    said: str | None = None
    """`assigned_to` of the last snapshot: only a change of it is a statement."""
    ours: tuple[tuple[str, str | None], ...] = ()
    """(decision id, staff id) of our latest decisions, oldest first."""
    confirmed: int = 0
    """How many of `ours`, from the oldest, the booking system has shown to know, or has overruled."""
    words: tuple[Word, ...] = ()
    """What was said last, in the order in which `assign` took it."""
    before: str | None = None
    """Who had it; without words, who has it."""

    @property
    def decided(self) -> frozenset[str | None]:
        """The ids of the decisions that are remembered."""
        words = (word.decision_id for word in self.words if word.said is Said.DECIDED)
        return frozenset((*words, *(known for known, _ in self.ours)))


class Callback(Versioned, array_like=True, frozen=True):
    """`facts` is None until the callback itself arrives; `pending` are decisions that came before it."""

    facts: Facts | None = None
    owner: Owner = Owner()
    pending: tuple[Ruling, ...] = ()


class Waiting(Row, array_like=True, frozen=True):
    """A message that cannot be written yet. Its key begins with the key of the directory's row that it needs."""

    since: float
    trigger: Trigger


class Mark(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A reminder that the timer must not write (again)."""

    config_id: str
    due: datetime
    is_told: bool = False
    """It was read, or past when it came to be planned."""


class Reminded(Row, array_like=True, frozen=True):
    """What is settled of an appointment's reminders."""

    marks: tuple[Mark, ...] = ()


def entity_kind(key: str) -> type[Appointment] | type[Callback]:
    return Appointment if key.startswith("appointment/") else Callback
