"""What the providers took over: it is what the outcomes say, and as often as they allow.

A provider keeps its own count, whether or not we were told that it had accepted: so what was done twice is seen
here, whatever the topics say.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from schemas import Event
from schemas.notifications import Outcome
from schemas.reasons import ChannelName
from streams.audit.findings import Finding, doubled, lost, wrong
from streams.audit.series import DELIVERED, RETRYING, SENT, UNCONFIRMED, place
from streams.audit.stories import Key, Ledger, Story
from streams.policy.delivery.correlation import Correlation
from streams.policy.delivery.mail_name import parsed

ANY_ATTEMPT = 0


class Arrival(NamedTuple):
    """A message that a provider took over. `key` is None where it does not say what it is about, `attempt` is
    ANY_ATTEMPT where it does not say which one it comes of."""

    key: Key | None
    channel: str
    attempt: int
    message_id: str


def mails(accepted: Mapping[str, int]) -> Iterator[Arrival]:
    """`accepted`: Message-ID -> how often a server took it over."""
    for message_id, times in accepted.items():
        key = parsed(message_id.strip("<>").rpartition("@")[0])
        yield from [Arrival(key, ChannelName.EMAIL, ANY_ATTEMPT, message_id)] * times


def messages(accepted: Iterable[Mapping[str, Any]]) -> Iterator[Arrival]:
    """`accepted`: as the simulator's `GET /messages` shows them."""
    for each in accepted:
        content, message_id = each["content"], each["id"]
        match each["protocol"]:
            case "twilio":
                yield _named(urlsplit(content.get("StatusCallback", "")).query, ChannelName.SMS, message_id)
            case "whatsapp":
                yield _named(each["correlation"] or "", ChannelName.WHATSAPP, message_id)
            case "fcm":
                yield _pushed(content["data"], message_id)
            case _:
                yield _pushed(content["payload"]["data"], each["correlation"])


def _named(correlation: str, channel: ChannelName, message_id: str) -> Arrival:
    said = Correlation.read(correlation)
    if said is None or said.channel is not channel:
        return Arrival(None, channel, ANY_ATTEMPT, message_id)
    return Arrival((said.company_id, said.notification_id), channel, said.attempt, message_id)


def _pushed(data: Mapping[str, str], message_id: str) -> Arrival:
    key = data["company_id"], data["notification_id"]
    return Arrival(key, ChannelName.PUSH, ANY_ATTEMPT, message_id)


def check(arrived: Iterable[Arrival], ledger: Ledger) -> Iterator[Finding]:
    by_key: dict[Key, list[Arrival]] = defaultdict(list)
    ids = set()
    for arrival in arrived:
        ids.add(arrival.message_id)
        if arrival.key is None or arrival.key not in ledger.stories:
            yield wrong(f"{arrival.message_id} arrived, but nobody had asked for it")
        else:
            by_key[arrival.key].append(arrival)
    for key, story in ledger.stories.items():
        yield from _missing(key[1], story, ids)
        yield from _too_many(key[1], story, by_key[key])


def _missing(notification_id: str, story: Story, ids: set[str]) -> Iterator[Finding]:
    for event in story.outcomes:
        its_id = cast(Outcome, event.data).provider_message_id
        if (event.type == SENT or (event.type == DELIVERED and its_id is not None)) and its_id not in ids:
            yield lost(f"{notification_id} is said to be sent, but {its_id} never arrived")


def _too_many(notification_id: str, story: Story, arrived: list[Arrival]) -> Iterator[Finding]:
    """Once over all channels, and again only where it was unconfirmed or did not get through; and of each attempt
    as often as it was handed over."""
    if len(arrived) > 1 + story.unconfirmed + story.failed_on_the_way:
        yield doubled(
            f"{notification_id} arrived {len(arrived)} times, {story.unconfirmed} times unconfirmed,"
            f" {story.failed_on_the_way} times failed on the way"
        )
    if arrived and not story.is_sent and not story.unconfirmed:
        yield wrong(f"{notification_id} arrived, but its outcome is {', '.join(story.ends) or 'missing'}")
    for (channel, attempt), times in Counter((each.channel, each.attempt) for each in arrived).items():
        allowed = sum(_handed_over(event, channel, attempt) for event in _firsts(story))
        allowed += sum(_after_all(run, channel, attempt) for run in story.runs)
        if times > allowed:
            name = f"{notification_id} by {channel}" + (f", attempt {attempt}" if attempt else "")
            yield doubled(f"{name} arrived {times} times, but was handed over {allowed} times")


def _firsts(story: Story) -> Iterator[Event]:
    """What each attempt has come to at first."""
    for run in story.runs:
        before: Event | None = None
        for event in run:
            if before is None or place(before) != place(event):
                yield event
            before = event


def _handed_over(first: Event, channel: str, attempt: int) -> int:
    """How often an attempt may have arrived: what was in doubt once more, if it was to be repeated."""
    if place(first)[0] != channel or attempt not in (ANY_ATTEMPT, place(first)[1]):
        return 0
    if first.type == UNCONFIRMED:
        return 1 + (cast(Outcome, first.data).next_attempt_at is not None)
    return int(first.type == SENT)


def _after_all(run: list[Event], channel: str, attempt: int) -> bool:
    """Whether an attempt had failed for now, and arrived."""
    told = [
        event.type for event in run if attempt in (ANY_ATTEMPT, place(event)[1]) and place(event)[0] == channel
    ]
    return RETRYING in told and DELIVERED in told and SENT not in told and UNCONFIRMED not in told
