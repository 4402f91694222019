"""Requests of other systems: what our own have by the way they are made, these are given, or refused for."""

from collections.abc import Iterator
from html import escape

from schemas import Refused
from schemas.notifications import Content, LocalQuietHours, NotificationRequest
from schemas.reasons import ChannelName, RefusedReason
from streams.policy.notification import consent, quiet, rows, segments
from streams.policy.notification.lines import one_line
from streams.policy.notification.memory import Memory
from streams.policy.notification.messages import SOURCE as OURS
from streams.policy.notification.rows import DIRECTORY, ENTITIES


def admitted(request: NotificationRequest, source: str, memory: Memory) -> NotificationRequest:
    """The request as it may set out; `source` is its event's. Raises Refused where a placeholder is left over."""
    if source == OURS:
        return request
    _must_be_filled(request)
    return _at_a_good_time(_in_few_segments(request), memory)


def _must_be_filled(request: NotificationRequest) -> None:
    """Who is called `{{x}}` may be called so."""
    name = request.recipient.name
    names = (name, escape(name)) if _leftover(name) else ()
    for channel, content in request.contents.items():
        for field, text in _texts(content):
            for each in names:
                text = text.replace(each, "")
            if (left := _leftover(text)) is not None:
                detail = f"contents.{channel}.{field}: {one_line(left)} is left over"
                raise Refused(RefusedReason.UNKNOWN_PLACEHOLDER, detail)


def _leftover(text: str) -> str | None:
    """The first placeholder, in its braces. Linear, whatever the text."""
    start = text.find("{{")
    end = text.find("}}", start + 2) if start >= 0 else -1
    return text[start : end + 2] if end >= 0 else None


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    for field in ("subject", "body_text", "body_html", "calendar"):
        text: str | None = getattr(content, field)
        if text is not None:
            yield field, text
    for number, parameter in enumerate(content.provider_template.parameters if content.provider_template else ()):
        yield f"provider_template.parameters.{number}", parameter


def _in_few_segments(request: NotificationRequest) -> NotificationRequest:
    """An SMS that is too long is cut like one of ours; one that fits stays as it is."""
    sms = request.contents.get(ChannelName.SMS)
    if sms is None or segments.count(sms.body_text) <= segments.MOST:
        return request
    fitted = sms.model_copy(update={"body_text": segments.fitted(sms.body_text)})
    return request.model_copy(update={"contents": {**request.contents, ChannelName.SMS: fitted}})


def _at_a_good_time(request: NotificationRequest, memory: Memory) -> NotificationRequest:
    """With the quiet hours and the zone that are known of its customer, where it does not say others."""
    if not quiet.keeps_any(request.audience, request.priority):
        return request
    whose = whose_hours(request, memory)
    zone = request.timezone or quiet.zone_of(whose)
    hours = quiet.hours_of(whose, zone)
    known = None if hours is None else LocalQuietHours(**hours._asdict())
    return request.model_copy(update={"timezone": zone, "quiet_hours": request.quiet_hours or known})


def whose_hours(request: NotificationRequest, memory: Memory) -> quiet.Whose:
    """The branch is that of the appointment or callback, if it is one of ours."""
    key = f"{request.entity.type}/{request.entity.id}"
    entity: rows.Appointment | rows.Callback | None = memory.read(rows.entity_kind(key), ENTITIES, key)
    facts = entity.facts if entity is not None else None
    person = facts.customer if facts is not None else None
    return quiet.Whose(
        reader=consent.reader(request.audience, request.recipient.id, memory),
        zone=person.zone if person is not None and person.id == request.recipient.id else None,
        branch=None if facts is None else memory.read(rows.Branch, DIRECTORY, f"branch/{facts.branch_id}"),
        company=memory.read(rows.Company, DIRECTORY, "company"),
    )
