"""What a provider answers, without what it repeats of the message.

An outcome, a log line and a dead letter hold the reason, and nothing of the person.
"""

from collections.abc import Iterable

from sinks.channels.answers import cleaned, without
from sinks.channels.base import Message
from streams.policy.delivery.cleaning import without_person, without_quotations


def discreet(text: str, message: Message | None, secrets: Iterable[str | None] = ()) -> str:
    """Without the recipient's name, what the message says, and `secrets`; else, and without a message, as
    `cleaned`."""
    if message is None:
        return cleaned(text, secrets)
    said = (message.subject, message.body_text, message.body_html or "")
    parameters = message.template.parameters if message.template is not None else ()
    text = without(text, (message.address, *secrets))  # first, for a part of them may be a name
    return cleaned(without_person(without_quotations(text, (*said, *parameters)), "", message.name))
