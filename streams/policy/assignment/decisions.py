"""A decision as it is written: the same bytes for the same record and state, whenever it is made."""

import uuid
from hashlib import sha1
from typing import Any

import msgspec

from schemas import SOURCE, encode
from schemas.reasons import CommandRefusal, DecisionReason
from streams.batch import Output
from streams.policy.assignment.case import Case
from streams.policy.assignment.cause import Cause
from streams.policy.assignment.choosing import Candidate
from streams.policy.assignment.moments import instant
from streams.policy.assignment.rows import CallbackRow

TOPIC = "assignment.decisions"
OWN_SOURCE = f"{SOURCE}/assign"

AUTO_ASSIGNED = "callback.auto_assigned"
REASSIGNED = "callback.reassigned"
WAITING = "callback.waiting"
ABANDONED = "callback.abandoned"
BULK_ASSIGNED = "callback.bulk_assigned"
COMMAND_REFUSED = "callback.command_refused"

_NAMESPACE = uuid.UUID("6b0f1a52-6f0e-5d0c-9f0a-3f1d2c7b8e94").bytes


def own_id(*parts: str) -> bytes:
    """A UUID of version 5 that is a function of `parts`: the id of something of ours."""
    digest = bytearray(sha1(_NAMESPACE + msgspec.json.encode(parts), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest)


def uuid_text(identity: bytes) -> str:
    text = identity.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def decision_id(company_id: str, cause: Cause, callback_id: str | None) -> bytes:
    return own_id(company_id, cause.source, cause.event_id, cause.discriminator, callback_id or "")


def announce(
    case: Case,
    kind: str,
    callback_id: str | None,
    reason: DecisionReason | None,
    *,
    candidates: list[Candidate] | None = None,
    omitted: dict[str, int] | None = None,
    **fields: Any,
) -> bytes:
    """Write a decision of type `kind`. Returns its id. `fields` are those of the contract; None: absent."""
    cause, company = case.cause, case.company
    identity = decision_id(company.id, cause, callback_id)
    decided_at = instant(cause.at)
    data = {
        "decision_id": uuid_text(identity),
        "company_id": company.id,
        "callback_id": callback_id,
        **fields,
        "reason": reason,
        "caused_by": cause.event_id,
        "decided_at": decided_at,
        "candidates": candidates or [],
        "candidates_omitted": omitted or None,
        "basis": cause.basis,
    }
    value = encode(
        kind,
        id=data["decision_id"],
        source=OWN_SOURCE,
        time=decided_at,
        subject=None if callback_id is None else f"callback/{callback_id}",
        company_id=company.id,
        data=data,
    )
    case.effects.outputs.append(Output(TOPIC, company.key, value))
    case.effects.counted["staffetta_decisions_total", kind, reason or ""] += 1
    return identity


def refuse(
    case: Case,
    command_id: str,
    reason: CommandRefusal,
    callback_id: str | None,
    row: CallbackRow | None,
    strategy: str | None,
    **fields: Any,
) -> None:
    """Answer a command, or a bulk command's wish for one callback, by what keeps it from being obeyed."""
    announce(
        case,
        COMMAND_REFUSED,
        callback_id,
        DecisionReason(reason),
        branch_id=None if row is None else row.branch,
        strategy=case.staffing.strategy(row.branch) if strategy is None and row is not None else strategy,
        command_id=command_id,
        **fields,
    )
