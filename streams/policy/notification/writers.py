"""What is written for each channel: one line a channel.

A text is the built-in one, or the company's own; either way its channel gives it the form that the channel takes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from schemas.base import MAX_HTML_BYTES, MAX_TEXT
from schemas.reasons import ChannelName
from streams.policy.notification import layout, segments, short
from streams.policy.notification.approved import filled
from streams.policy.notification.lines import flattened, shortened
from streams.policy.notification.placeholders import Values
from streams.policy.notification.rows import Approved
from streams.policy.notification.sandbox import compiled
from streams.policy.notification.texts import LANGUAGES
from streams.policy.notification.texts.wording import Language, Occasion, Sources, Text

MAIL_SUBJECT = 250
"""Characters; of what is longer, mail programs show the beginning at best."""
WHATSAPP_CHARACTERS = 4096
"""Of a text message in the Cloud API."""
PUSH_TITLE, PUSH_BODY = 80, 240
"""Characters; what is longer, phones do not show."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Own(NamedTuple):
    """A company's own text, for one channel alone."""

    template_id: str
    version: int
    channel: str
    sources: Sources
    approved: Approved | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """`sources` makes the built-in text, given the text, the audience and the language; `form` takes what was
    rendered, and gives the content's `subject`, `body_text` and `body_html`."""

    sources: Callable[[Text, str, Language], Sources]
    form: Callable[[Sources], dict[str, Any]]


def _mail(said: Sources) -> dict[str, Any]:
    """HTML that no request can hold is left out: the text says it all."""
    html = said.html
    fits = html is not None and len(html) <= MAX_HTML_BYTES and len(html.encode()) <= MAX_HTML_BYTES
    subject = shortened(flattened(said.subject or ""), MAIL_SUBJECT)
    content = {"subject": subject, "body_text": shortened(said.text, MAX_TEXT)}
    return {**content, "body_html": html} if fits else content


def _sms(said: Sources) -> dict[str, Any]:
    return {"body_text": segments.fitted(said.text.strip())}


def _whatsapp(said: Sources) -> dict[str, Any]:
    return {"body_text": shortened(said.text.strip(), WHATSAPP_CHARACTERS)}


def _push(said: Sources) -> dict[str, Any]:
    title = shortened(flattened(said.subject or ""), PUSH_TITLE)
    return {"subject": title, "body_text": shortened(said.text.strip(), PUSH_BODY)}


WRITERS: dict[str, Writer] = {
    ChannelName.EMAIL: Writer(layout.mail, _mail),
    ChannelName.SMS: Writer(short.sms, _sms),
    ChannelName.WHATSAPP: Writer(short.whatsapp, _whatsapp),
    ChannelName.PUSH: Writer(short.push, _push),
}


def write(channel: str, occasion: Occasion, locale: str, values: Values, own: Own | None = None) -> dict[str, Any]:
    """A request's content. Where the company's own text says nothing at all, or has no subject, the built-in one
    speaks, as it does on the other channels."""
    default = _built_in(channel, occasion, locale)
    if own is not None and own.channel == channel:
        said = _rendered(own.sources, values)
        asked = _approved(own, values)
        if said.text.strip() or (said.html or "").strip() or asked:
            ref = {"template_id": own.template_id, "version": own.version}
            return {**WRITERS[channel].form(_completed(said, default, values)), **asked, "template": ref}
    ref = {"template_id": f"builtin:{occasion.event_type}.{channel}.{locale}", "version": 0}
    return {**WRITERS[channel].form(_rendered(default, values)), "template": ref}


def _approved(own: Own, values: Values) -> dict[str, Any]:
    """Only WhatsApp knows texts by name."""
    if own.approved is None or own.channel != ChannelName.WHATSAPP:
        return {}
    return {"provider_template": filled(own.approved, values)}


def _completed(said: Sources, default: Sources, values: Values) -> Sources:
    """No mail without a subject, and none that says nothing to who reads no HTML."""
    subject, text, html = said
    if (subject or "").strip() and text.strip():
        return said
    built_in = _rendered(default, values)
    return Sources(
        subject if (subject or "").strip() else built_in.subject, text if text.strip() else built_in.text, html
    )


@lru_cache(maxsize=1024)
def _built_in(channel: str, occasion: Occasion, locale: str) -> Sources:
    language = LANGUAGES[locale]
    return WRITERS[channel].sources(language.texts[occasion], occasion.audience, language)


def _rendered(sources: Sources, values: Values) -> Sources:
    subject, text, html = sources
    return Sources(
        None if subject is None else compiled(subject).render(values),
        _CONTROLS.sub("", compiled(text).render(values)),
        None if html is None else _CONTROLS.sub("", compiled(html, html=True).render(values)),
    )
