"""Channels that are not set up, and those on which a repeat would show."""

from typing import Any

from schemas.notifications import DeadLetter, Outcome
from schemas.reasons import ChannelName, DeliveryReason
from streams.clock import utc
from streams.policy.delivery.results import Accepted, Permanent, Unconfirmed
from tests.unit.delivery.support import GRACE_SECONDS, NOW, SilentChannel, Worker, request, types

EMAIL = SilentChannel(ChannelName.EMAIL)
SMS = SilentChannel(ChannelName.SMS, recognises_repeats=False)
TEMPLATE = {"template_id": "builtin", "version": 0}
CONTENTS = {
    "email": {"subject": "Ihr Termin", "body_text": "Guten Tag", "template": TEMPLATE},
    "sms": {"body_text": "Guten Tag", "template": TEMPLATE},
}
ANNA = {
    "type": "customer",
    "id": "cu-1",
    "name": "Anna Müller",
    "email": "anna@example.com",
    "phone": "+4915112345678",
}
UNCONFIRMED = Unconfirmed(DeliveryReason.TIMEOUT, "no answer within 10 s")


def ask(worker: Worker, channel: str, *fallbacks: str, **changes: Any) -> None:
    data = request(
        "co-7",
        "n-1",
        channel=channel,
        fallback_channels=list(fallbacks),
        contents=CONTENTS,
        recipient=ANNA,
        **changes,
    )
    worker.send(worker.record(data, topic=f"delivery.{channel}"))


def told(worker: Worker) -> list[tuple[str, str | None, int, str | None]]:
    return [
        (event.type.removeprefix("notification."), event.data.channel, event.data.attempt, event.data.reason)
        for event in worker.events
        if isinstance(event.data, Outcome)
    ]


def test_a_channel_that_is_not_set_up() -> None:
    """Without an account for it, the next channel of the chain is used at once, and no attempt is made."""
    worker = Worker(channels=(EMAIL,))
    ask(worker, "sms", "email")
    worker.run()
    assert told(worker) == [("fell_back", "sms", 1, "unavailable")]
    assert [job.delivery.intent.channel for job in worker.jobs] == ["email"]
    worker.answer(worker.jobs[0], Accepted("<n-1>"))
    assert told(worker)[1:] == [("sent", "email", 1, None)]


def test_only_channels_that_are_not_set_up() -> None:
    """With nothing else in the chain it is given up, and can be sent again once there is an account."""
    worker = Worker(channels=(EMAIL,))
    ask(worker, "sms")
    assert worker.jobs == []
    assert told(worker) == [("failed", "sms", 1, "unavailable")]
    letter = worker.events[-1].data
    assert isinstance(letter, DeadLetter)
    assert letter.attempts == ()
    worker.channels = (EMAIL, SMS)
    worker.crash()
    ask(worker, "sms", redrive=1)
    assert [job.message.address for job in worker.jobs] == ["+4915112345678"]


def test_a_fallback_that_is_not_set_up() -> None:
    """A failure is not sent on to where nothing is; its own reason stands."""
    worker = Worker(channels=(EMAIL,))
    ask(worker, "email", "sms")
    worker.answer(worker.jobs[0], Permanent(DeliveryReason.DEAD_ADDRESS, "no such user"))
    assert told(worker) == [("failed", "email", 1, "dead_address")]


def test_what_nobody_could_tell_from_a_repeat() -> None:
    """What may have arrived by SMS is not sent again, nor on another channel: it ends as unconfirmed after the
    grace, so that a receipt could still tell."""
    worker = Worker(channels=(EMAIL, SMS))
    ask(worker, "sms", "email")
    (unconfirmed,) = worker.answer(worker.jobs[0], UNCONFIRMED)
    assert isinstance(unconfirmed.data, Outcome)
    assert unconfirmed.data.next_attempt_at is None
    worker.clock.moment = NOW + GRACE_SECONDS - 1
    assert worker.tick() == []
    worker.clock.moment = NOW + GRACE_SECONDS + 1
    assert types(worker.tick()) == ["failed", "dead_lettered"]
    assert worker.jobs == []
    assert told(worker) == [("unconfirmed", "sms", 1, "timeout"), ("failed", "sms", 1, "unconfirmed")]
    letter = worker.events[-1].data
    assert isinstance(letter, DeadLetter)
    assert [(each.attempt, each.reason) for each in letter.attempts] == [(1, "timeout")]


def test_in_doubt_to_the_end() -> None:
    """That it would be too late by now for another attempt says nothing about the one that was made."""
    worker = Worker(channels=(EMAIL, SMS))
    ask(worker, "sms", not_after=utc(NOW + 1).isoformat())
    worker.answer(worker.jobs[0], UNCONFIRMED)
    worker.clock.moment = NOW + GRACE_SECONDS + 1
    worker.tick()
    assert told(worker) == [("unconfirmed", "sms", 1, "timeout"), ("failed", "sms", 1, "unconfirmed")]


def test_repeated_all_the_same() -> None:
    """Unless the setting says so: then it is repeated once."""
    worker = Worker(channels=(EMAIL, SMS), configured={"retry_unconfirmed": "sms"})
    ask(worker, "sms")
    worker.answer(worker.jobs[0], UNCONFIRMED)
    worker.clock.moment = NOW + GRACE_SECONDS + 1
    worker.tick()
    assert types(worker.answer(worker.jobs[0], UNCONFIRMED)) == ["failed", "dead_lettered"]


def test_a_worker_that_died() -> None:
    """Nor is it after a crash in the middle of an SMS."""
    worker = Worker(channels=(EMAIL, SMS))
    ask(worker, "sms")
    worker.crash()
    worker.tick()
    worker.clock.moment = NOW + GRACE_SECONDS + 1
    worker.tick()
    assert told(worker) == [("unconfirmed", "sms", 1, "worker_died"), ("failed", "sms", 1, "unconfirmed")]
    assert worker.jobs == []


def test_what_a_message_is_told() -> None:
    """A channel learns which attempt it is, for how long the message is of use, and the provider's template."""
    template = {"name": "reminder", "language": "de", "parameters": ["Anna Müller"]}
    worker = Worker(channels=(EMAIL, SMS))
    contents = {"sms": {**CONTENTS["sms"], "provider_template": template}}
    until = utc(NOW + 90).isoformat()
    data = request("co-7", "n-1", channel="sms", contents=contents, recipient=ANNA, attempt=2, not_after=until)
    worker.send(worker.record(data, topic="delivery.sms"))
    message = worker.jobs[0].message
    assert (message.attempt, message.ttl_seconds) == (2, 90.0)
    assert message.template is not None
    assert message.template.parameters == ("Anna Müller",)
