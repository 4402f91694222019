"""What the booking system's events, our decisions and recipients' own words change in what `deliver` knows."""

from collections.abc import Callable
from typing import Any

from schemas import Event
from schemas.appointments import Appointment as AppointmentEvent
from schemas.appointments import AppointmentStatus
from schemas.callbacks import OPEN
from schemas.callbacks import Callback as CallbackEvent
from schemas.configuration import CustomerErased, CustomerPreferences, CustomerPreferencesDeleted
from schemas.decisions import Decision
from schemas.event_types import APPOINTMENTS, CALLBACKS, DECISIONS, DIRECTORY, RECEIPTS
from schemas.receipts import AddressOptedIn, AddressOptedOut
from streams.policy.delivery.known import rows
from streams.policy.notification import ownership
from streams.policy.notification.rows import KEPT
from streams.policy.notification.triggers import ENDED
from streams.state import State

MOVING = ENDED.keys() | {"appointment.rescheduled"}


def hear(topic: str, event: Event, offset: int, timestamp_ms: int, state: State) -> None:
    """Apply one event of `TOPICS`."""
    _HEARINGS[topic](event, offset, timestamp_ms, state)


def _appointment(event: Event, offset: int, timestamp_ms: int, state: State) -> None:
    data: Any = event.data
    known = rows.read(rows.Appointment, state, rows.APPOINTMENTS, event.company_id, data.appointment_id)
    if known is not None and data.version <= known.version:
        return
    before = known or rows.Appointment(0, -1)
    starts_at, is_cancelled = before.starts_at, True
    if isinstance(data, AppointmentEvent):
        starts_at = data.starts_at.timestamp()
        is_cancelled = event.type in ENDED or data.status is AppointmentStatus.CANCELLED
    # What the content says counts as much as the type; a cancelled one that stays cancelled overtakes nothing.
    has_moved = not is_cancelled and before.starts_at is not None and starts_at != before.starts_at
    overtakes = event.type in MOVING or has_moved or (is_cancelled and not before.is_cancelled)
    row = rows.Appointment(
        int(max(timestamp_ms / 1000, starts_at or 0)) + KEPT,
        data.version,
        starts_at,
        is_cancelled,
        data.version if overtakes else before.overtaken,
    )
    state.put(rows.APPOINTMENTS, event.company_id, data.appointment_id, rows.encode(row))


def _callback(event: Event, offset: int, timestamp_ms: int, state: State) -> None:
    data: Any = event.data
    assert isinstance(data, CallbackEvent)
    known = rows.read(rows.Callback, state, rows.CALLBACKS, event.company_id, data.callback_id)
    before = known or rows.Callback(0, -1)
    if data.version <= before.version:
        return
    said = ownership.statement(event.type, data, offset)
    owner, _ = ownership.after_snapshot(before.owner, said)
    for ruling in before.pending:
        owner, _ = ownership.after_decision(owner, ruling)
    forget_at = 0 if data.status in OPEN else timestamp_ms // 1000 + KEPT
    row = rows.Callback(forget_at, data.version, data.status, owner)
    state.put(rows.CALLBACKS, event.company_id, data.callback_id, rows.encode(row))


def _decision(event: Event, offset: int, timestamp_ms: int, state: State) -> None:
    data: Any = event.data
    assert isinstance(data, Decision)
    if data.callback_id is None:
        return
    ruling = ownership.ruling(event.type, data, event.source, offset)
    known = rows.read(rows.Callback, state, rows.CALLBACKS, event.company_id, data.callback_id)
    if known is None or known.version < 0:
        pending = known.pending if known is not None else ()
        row = rows.Callback(timestamp_ms // 1000 + KEPT, -1, pending=(*pending, ruling))
    else:
        owner, _ = ownership.after_decision(known.owner, ruling)
        row = rows.Callback(known.forget_at, known.version, known.status, owner)
    state.put(rows.CALLBACKS, event.company_id, data.callback_id, rows.encode(row))


def _customer(event: Event, offset: int, timestamp_ms: int, state: State) -> None:
    data = event.data
    if isinstance(data, CustomerErased):
        _erased(data, timestamp_ms, state)
    elif isinstance(data, CustomerPreferences | CustomerPreferencesDeleted):
        known = rows.read(rows.Customer, state, rows.CUSTOMERS, event.company_id, data.customer_id)
        if known is not None and data.version <= known.version:
            return
        row = _choice(data, timestamp_ms, known.erased_ms if known is not None else None)
        state.put(rows.CUSTOMERS, event.company_id, data.customer_id, rows.encode(row))


def _choice(
    data: CustomerPreferences | CustomerPreferencesDeleted, timestamp_ms: int, erased_ms: int | None
) -> rows.Customer:
    if isinstance(data, CustomerPreferencesDeleted):
        return rows.Customer(timestamp_ms // 1000 + KEPT, data.version, erased_ms=erased_ms)
    quiet = data.quiet_hours
    return rows.Customer(
        0,
        data.version,
        tuple((each.channel, each.event_type) for each in data.unsubscribed),
        None if quiet is None else (quiet.start, quiet.end),
        data.timezone,
        erased_ms,
    )


def _erased(data: CustomerErased, timestamp_ms: int, state: State) -> None:
    """Takes effect whatever versions are known; the version stays, so that nothing older brings them back."""
    known = rows.read(rows.Customer, state, rows.CUSTOMERS, data.company_id, data.customer_id)
    version = max(-1 if known is None else known.version, -1 if data.version is None else data.version)
    erased_ms = max(timestamp_ms, (known and known.erased_ms) or 0)
    row = rows.Customer(erased_ms // 1000 + KEPT, version, erased_ms=erased_ms)
    state.put(rows.CUSTOMERS, data.company_id, data.customer_id, rows.encode(row))


def _receipt(event: Event, offset: int, timestamp_ms: int, state: State) -> None:
    data = event.data
    if isinstance(data, AddressOptedOut | AddressOptedIn):
        _choose(data, state)


def _choose(data: AddressOptedOut | AddressOptedIn, state: State) -> None:
    """What was said last counts, in whatever order it comes here."""
    scope = data.company_id or rows.EVERY_COMPANY
    key = rows.opt_out_key(data.channel, data.recipient_hash, data.event_type)
    said = int(data.at.timestamp() * 1000)
    known = rows.read(rows.OptOut, state, rows.OPT_OUTS, scope, key)
    if known is None or said > known.version:
        row = rows.OptOut(0, said, isinstance(data, AddressOptedOut))
        state.put(rows.OPT_OUTS, scope, key, rows.encode(row))


_HEARINGS: dict[str, Callable[[Event, int, int, State], None]] = {
    DIRECTORY: _customer,
    DECISIONS: _decision,
    CALLBACKS: _callback,
    APPOINTMENTS: _appointment,
    RECEIPTS: _receipt,
}

TOPICS = tuple(_HEARINGS)
"""In the order in which a batch applies them."""
