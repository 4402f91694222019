"""Messages of every type, generated from their JSON Schemas: what those describe, the codec must accept."""

import string
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st

from schemas import EVENT_TYPES

Schema = dict[str, Any]
Values = st.SearchStrategy[Any]

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.text(CHARACTERS, max_size=20)
IDS = st.text(string.ascii_letters + string.digits + "._:-", min_size=1, max_size=64)
ZONES = st.sampled_from(["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "UTC"])
TIMES = st.builds(
    lambda moment, offset: moment.isoformat() + offset,
    st.datetimes(),
    st.sampled_from(["Z", "+00:00", "+01:00", "-03:30", "+14:00", "-12:00"]),
)
SHIFTS = st.lists(st.integers(0, 1440), min_size=2, max_size=2, unique=True).map(
    lambda pair: [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in sorted(pair)]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def strategy(schema: Schema, definitions: Schema) -> Values:
    """Whatever JSON the schema describes."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return JSON if name == "JsonValue" else strategy(definitions[name], definitions)
    if "anyOf" in schema:
        return st.one_of([strategy(option, definitions) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return OF_TYPE[schema["type"]](schema, definitions)


def _string(schema: Schema, definitions: Schema) -> Values:
    if schema.get("format") == "date-time":
        return TIMES
    if schema.get("maxLength") == 64:
        return IDS
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True, alphabet=CHARACTERS)
    return st.text(CHARACTERS, min_size=schema.get("minLength", 0), max_size=20)


def _integer(schema: Schema, definitions: Schema) -> Values:
    return st.integers(schema["minimum"], schema["maximum"])


def _array(schema: Schema, definitions: Schema) -> Values:
    if "prefixItems" not in schema:
        return st.lists(strategy(schema["items"], definitions), max_size=4)
    if all("pattern" in item for item in schema["prefixItems"]):
        return SHIFTS
    return st.tuples(*(strategy(item, definitions) for item in schema["prefixItems"])).map(list)


def _object(schema: Schema, definitions: Schema) -> Values:
    if "properties" not in schema:
        names = strategy(schema["propertyNames"], definitions) if "propertyNames" in schema else TEXT
        return st.dictionaries(names, strategy(schema["additionalProperties"], definitions), max_size=3)
    fields = {
        name: ZONES if name == "timezone" else strategy(field, definitions)
        for name, field in schema["properties"].items()
    }
    required = schema.get("required", [])
    optional = {name: field for name, field in fields.items() if name not in required}
    return st.fixed_dictionaries({name: fields[name] for name in required}, optional=optional)


OF_TYPE: dict[str, Callable[[Schema, Schema], Values]] = {
    "string": _string,
    "array": _array,
    "object": _object,
    "integer": _integer,
    "boolean": lambda schema, definitions: st.booleans(),
    "null": lambda schema, definitions: st.none(),
}


def _made_consistent(name: str, data: Schema) -> Schema:
    """What a schema cannot say: the key's company, a status as the type has it, one way to plan a reminder, each
    channel once, a recipient who is the audience."""
    if data.get("company_id") is not None:
        data["company_id"] = "co-7"
    if name.startswith("callback.") and "status" in data:
        status = name.partition(".")[2]
        if status in {"contacted", "completed", "cancelled", "expired"}:
            data["status"] = status
        data["assigned_to"] = data.get("assigned_to") or "st-1"
    if name == "notification_config.upserted":
        data.pop("minutes_before", None)
        data.pop("audience", None)
        chain = dict.fromkeys((data["channel"], *data["fallback_channels"]))
        data["fallback_channels"] = list(chain)[1:]
    if "recipient" in data:
        data["recipient"]["type"] = data["audience"]
    return data


@cache
def messages_of(name: str) -> st.SearchStrategy[tuple[str, Schema]]:
    schema = EVENT_TYPES[name].model.model_json_schema()
    data = strategy(schema, schema.get("$defs", {}))
    return data.map(lambda content: (name, _made_consistent(name, content)))


def messages() -> st.SearchStrategy[tuple[str, Schema]]:
    """(event type, its data)"""
    return st.sampled_from(sorted(EVENT_TYPES)).flatmap(messages_of)
