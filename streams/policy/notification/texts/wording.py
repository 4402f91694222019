"""What a language must bring to write all our mails: a text for each occasion, and the words shared by them.

Every string here is a Jinja template over the placeholders of `placeholders.py`. A piece that may be empty
brings its own space or punctuation inside its `{% if %}`, so that nothing is left behind when it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Tone = Literal["good", "changed", "ended", "call"]
"""The mood of a mail, shown as the colour of its edge."""


class Occasion(NamedTuple):
    """What a text is for."""

    event_type: str
    audience: str


class Row(NamedTuple):
    """One line of the details, left out when the placeholder `given` is empty."""

    given: str
    label: str
    value: str


class Sources(NamedTuple):
    """One message as Jinja sources. What a channel has no place for is None."""

    subject: str | None
    text: str
    html: str | None = None


class Link(NamedTuple):
    """A link that the booking system may give, left out when the placeholder `given` is empty."""

    given: str
    label: str


@dataclass(frozen=True, slots=True)
class Text:
    """One message, told once: `layout.py` makes a mail of it, `short.py` what goes to a phone."""

    tone: Tone
    subject: str
    heading: str
    """Without placeholders; also the title of a push message."""
    brief: str
    """All of it in a sentence or two, where there is no room for the details."""
    opening: str
    """The paragraph before the details."""
    rows: tuple[str, ...]
    """Names of `Language.rows`, in the order shown."""
    closing: str = ""
    """A paragraph after the details and links."""
    links: tuple[str, ...] = ()
    """Names of `Language.links`; the first is the main one."""


@dataclass(frozen=True, slots=True)
class Language:
    """Everything that is said in one language."""

    locale: str
    greetings: Mapping[str, str]
    """By audience."""
    neutral_service: str
    """Stands for the name of a service that must not be named."""
    priorities: Mapping[str, str]
    rows: Mapping[str, Row]
    links: Mapping[str, Link]
    sign_off: Mapping[str, str]
    """By audience; may be of several lines."""
    notice: str
    """The last line: nobody wrote this by hand."""
    texts: Mapping[Occasion, Text]
