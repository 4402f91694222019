"""Templates that a provider has approved: it has the text, and gets the name and what fills the gaps."""

from typing import Any

from streams.policy.notification.lines import flattened
from streams.policy.notification.placeholders import Values
from streams.policy.notification.rows import Approved

NOTHING = "–"
"""In the place of what an event does not have: WhatsApp refuses an empty parameter, and with it the message."""


def filled(template: Approved, values: Values) -> dict[str, Any]:
    """A content's `provider_template`."""
    name, language, parameters = template
    texts = tuple(flattened(_value(each, values)) or NOTHING for each in parameters)
    return {"name": name, "language": language, "parameters": texts}


def _value(parameter: str, values: Values) -> str:
    """By name, or as `extra.<name>`."""
    name, _, key = parameter.partition(".")
    value = values.get(name)
    if isinstance(value, str):
        return value
    return value.get(key, "") if value is not None and not isinstance(value, bool) else ""
