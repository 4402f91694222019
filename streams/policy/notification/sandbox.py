"""The two Jinja environments in which all texts are rendered, and the filters that a template may use.

Undefined names are an error, and HTML escapes what is filled in. Values are only ever filled in, never rendered: a
customer may be called `{{x}}` or `<script>`. Every filter makes text of text and depends on nothing else: a
template that passed `checking.py` cannot fail on a value, and the same event always gives the same message.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.filters import FILTERS as JINJA
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 4096
"""Characters of a value after `replace`, which could otherwise make a novel of a name."""


def _default(value: str, default_value: str | int = "", boolean: bool = True) -> str:
    """What a message knows nothing of is empty, so an empty value is the one to be replaced."""
    return value or str(default_value)


def _replace(value: str, old: str, new: str) -> str:
    return value.replace(old, new)[:LONGEST]


FILTERS: dict[str, Callable[..., Any]] = {
    **{name: JINJA[name] for name in ("capitalize", "e", "escape", "lower", "title", "trim", "truncate", "upper")},
    "urlencode": JINJA["urlencode"],
    "d": _default,
    "default": _default,
    "replace": _replace,
}
"""Not among them: what calls, what draws lots, what takes the escaping off, and what can fail on a text."""


class _Sandbox(ImmutableSandboxedEnvironment):
    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=autoescape, keep_trailing_newline=True)
        self.filters = dict(FILTERS)
        self.tests = {}
        self.globals = {}

    def getattr(self, obj: Mapping[str, str], attribute: str) -> str:
        """The only attributes are those of `extra`."""
        return obj.get(attribute, "")


TEXT = _Sandbox(autoescape=False)
HTML = _Sandbox(autoescape=True)


@lru_cache(maxsize=512)
def compiled(source: str, *, html: bool = False) -> Template:
    return (HTML if html else TEXT).from_string(source)
