"""What `staffetta preview` shows, before it is shown."""

import json
from typing import Any, NamedTuple

from pydantic import ValidationError

from schemas import Refused
from schemas.configuration import STAFF_ONLY, Template
from schemas.problems import named
from schemas.reasons import Audience, ChannelName, NotificationType
from streams.errors import UserError
from streams.policy.notification.checking import check, must_fill
from streams.policy.notification.recipients import reads
from streams.policy.notification.sample import sample
from streams.policy.notification.texts import LANGUAGES
from streams.policy.notification.texts.wording import Occasion, Sources
from streams.policy.notification.writers import Own, write


class Wanted(NamedTuple):
    event_type: NotificationType
    channel: ChannelName
    locale: str
    audience: Audience | None
    extra: dict[str, str]


def written(wanted: Wanted, template: dict[str, Any] | None) -> dict[str, Any]:
    """A request's content for the channel. Raises UserError, with the reason of a template that is refused."""
    locale = reads(wanted.locale)
    occasion = _occasion(wanted, locale)
    own = None if template is None else _own(_template(template, wanted), wanted)
    content = write(wanted.channel, occasion, locale, sample(wanted.event_type, locale, wanted.extra), own)
    if own is not None and content["template"]["template_id"] != own.template_id:
        raise UserError("the template says nothing here: the built-in text would be sent instead")
    return content


def _occasion(wanted: Wanted, locale: str) -> Occasion:
    default = Audience.STAFF if wanted.event_type in STAFF_ONLY else Audience.CUSTOMER
    occasion = Occasion(wanted.event_type, wanted.audience or default)
    if occasion not in LANGUAGES[locale].texts:
        raise UserError(f"{wanted.event_type} is not told to {occasion.audience}", 2)
    return occasion


def _template(fields: dict[str, Any], wanted: Wanted) -> Template:
    missing = {"company_id": "preview", "version": 0, "template_id": "preview", "locale": wanted.locale}
    try:
        return Template.model_validate_json(json.dumps({**missing, "channel": wanted.channel, **fields}))
    except ValidationError as error:
        raise UserError(f"the template is refused: {named(error.errors(include_url=False))}") from error


def _own(template: Template, wanted: Wanted) -> Own:
    if template.channel is not wanted.channel:
        raise UserError(f"the template is for {template.channel}: say --channel {template.channel}", 2)
    try:
        must_fill(check(template), wanted.event_type, template.template_id)
    except Refused as refused:
        raise UserError(f"the template is refused ({refused.reason}): {refused.detail}") from refused
    sources = Sources(template.subject, template.body_text, template.body_html)
    approved = template.provider_template
    known_by = None if approved is None else (approved.name, approved.language, approved.parameters)
    return Own(template.template_id, template.version, template.channel, sources, known_by)
