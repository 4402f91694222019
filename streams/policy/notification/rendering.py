"""The built-in e-mails, rendered. Every template is compiled once, when the module is imported.

Undefined names are an error and HTML escapes what is filled in. Values are only ever filled in, never rendered: a
customer may be called `{{x}}` or `<script>`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from streams.policy.notification import layout
from streams.policy.notification.texts import LANGUAGES
from streams.policy.notification.texts.wording import Occasion

_TEXT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
_HTML = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True, keep_trailing_newline=True)


class Mail(NamedTuple):
    """The templates of one mail."""

    subject: Template
    text: Template
    html: Template


MAILS: dict[tuple[str, Occasion], Mail] = {
    (locale, occasion): Mail(
        subject=_TEXT.from_string(text.subject),
        text=_TEXT.from_string(layout.plain(text, occasion.audience, language)),
        html=_HTML.from_string(layout.html(text, occasion.audience, language)),
    )
    for locale, language in LANGUAGES.items()
    for occasion, text in language.texts.items()
}
"""(locale, occasion) -> its mail."""


def email(occasion: Occasion, locale: str, values: Mapping[str, str | bool]) -> dict[str, Any]:
    """The content of an e-mail as a request carries it. Every value is one line, and so is the subject."""
    mail = MAILS[locale, occasion]
    return {
        "subject": mail.subject.render(values),
        "body_text": mail.text.render(values),
        "body_html": mail.html.render(values),
        "template": {"template_id": f"builtin:{occasion.event_type}.email.{locale}", "version": 0},
    }
