"""One line for each thing that went wrong, or was wished for: what became of those that it concerned."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.reasons import ChannelName, DeliveryReason
from streams.demo.cases import PEOPLE, RESTING, SLOW, STOPPED
from streams.demo.courses import Course, Key, given_up
from streams.demo.names import BERLIN

Found = Mapping[Key, Course]
SHOWN = 4
"""Of the dead letters."""
EMAIL, SMS = ChannelName.EMAIL, ChannelName.SMS


def lines(found: Found, inbox: Counter[str]) -> Iterator[str]:
    """`inbox`: Message-ID -> how often it arrived."""
    those = list(found.values())
    yield from _outage("421", "mails", EMAIL, those)
    yield from _outage("429", "SMS", SMS, those)
    yield from _astray(those)
    yield from _doubtful(those, inbox)
    for tell in (_slow, _stopped, _rested):
        yield from tell(those)
    yield from _own_words(those)
    yield from _given_up(found)


def _outage(code: str, what: str, channel: ChannelName, those: Sequence[Course]) -> Iterator[str]:
    again = [course for course in those if course.was("retrying", channel)]
    held = [course for course in those if channel in course.waited and not course.was("retrying", channel)]
    held = [course for course in held if course.recipient != RESTING]
    yield f"{code}: {len(again)} {what} were tried again ({_ends(again)})"
    yield f"     {len(held)} more were held back by the breaker ({_ends(held)})"


_ASTRAY = {
    "Phones that were off": (SMS, DeliveryReason.UNAVAILABLE),
    "Numbers without WhatsApp": (ChannelName.WHATSAPP, DeliveryReason.DEAD_ADDRESS),
    "Apps and browsers that are gone": (ChannelName.PUSH, DeliveryReason.DEAD_ADDRESS),
}
"""By the channel that was left, and the reason."""


def _astray(those: Sequence[Course]) -> Iterator[str]:
    for what, why in _ASTRAY.items():
        left = [course for course in those if why in course.left]
        yield f"{what}: {len(left)} messages ({_ends(left)})"


def _doubtful(those: Sequence[Course], inbox: Counter[str]) -> Iterator[str]:
    mails = [course for course in those if course.was("unconfirmed", EMAIL)]
    others = [course for course in those if course.was("unconfirmed") and not course.was("unconfirmed", EMAIL)]
    twice = sum(count > 1 for count in inbox.values())
    yield f"Unconfirmed: {len(mails)} mails ({_ends(mails)}), repeated at most once with the same Message-ID;"
    yield f"     {twice} of them are in the inbox twice"
    yield f"     {len(others)} to phones ({_ends(others)}); an SMS is never repeated, its receipt clears it"


def _slow(those: Sequence[Course]) -> Iterator[str]:
    for course in _of(SLOW, those):
        steps = ", ".join(f"{told['kind']} at {_clock(told['at'])}" for told in course.of(SMS))
        yield f"Slow answer: {course.event_type} for {PEOPLE[SLOW].name} by SMS: {steps}, by the receipt"


def _stopped(those: Sequence[Course]) -> Iterator[str]:
    told = [f"{course.event_type} by {course.told_by or 'nothing'}" for course in _of(STOPPED, those)]
    yield f"STOP: {PEOPLE[STOPPED].name} was told {', then '.join(told)}"


def _rested(those: Sequence[Course]) -> Iterator[str]:
    for course in _of(RESTING, those):
        if course.is_told:
            asked, sent = _clock(course.asked_at), _clock(course.outcomes[-1]["at"])
            yield f"Quiet hours: {course.event_type} for {PEOPLE[RESTING].name}, of {asked}, was sent at {sent}"


def _own_words(those: Sequence[Course]) -> Iterator[str]:
    used = Counter((course.told_by, course.templates.get(course.told_by, "")) for course in those)
    for (channel, template), count in sorted(used.items()):
        if template.startswith("own-"):
            yield f"Own words: {count} by {channel}, {template}"


def _given_up(found: Found) -> Iterator[str]:
    letters = given_up(found)
    for (company_id, _), course in letters[:SHOWN]:
        whose = PEOPLE[course.recipient].name if course.recipient in PEOPLE else course.recipient
        yield f"Given up: {course.event_type} for {whose} of {company_id}: {course.reason}"
    if len(letters) > SHOWN:
        yield f"     and {len(letters) - SHOWN} more, reached by nothing else either"


def _of(customer_id: str, those: Sequence[Course]) -> list[Course]:
    return sorted((course for course in those if course.recipient == customer_id), key=lambda each: each.asked_at)


def _ends(those: Sequence[Course]) -> str:
    """`33 sent by email, 8 superseded`"""
    ends = Counter(_end(course) for course in those)
    return ", ".join(f"{count} {end}" for end, count in ends.most_common()) or "none"


def _end(course: Course) -> str:
    if course.is_told:
        return f"{course.end} by {course.told_by}"
    return "given up" if course.is_dead_letter else course.reason


def _clock(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(ZoneInfo(BERLIN)):%H:%M}"
