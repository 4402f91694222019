"""JSON is taken as it is: no guessing of types, no guessing of times."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from schemas import Refused
from schemas.reasons import RefusedReason
from tests.unit.schemas.examples import (
    APPOINTMENT,
    BRANCH,
    CALLBACK,
    CONFIG,
    CUSTOMER,
    DECISION,
    EXAMPLES,
    PREFERENCES,
    REQUEST,
    STAFF,
    TEMPLATE,
)
from tests.unit.schemas.records import read

Path = tuple[str | int, ...]

FREE = ("preferred_time_window", "push")
"""Any JSON, and what is no address rather than an error where it is malformed."""


def verdict(name: str, data: Any) -> RefusedReason | None:
    try:
        read(name, data)
    except Refused as refused:
        return refused.reason
    return None


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every scalar in `value` and where it is."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in FREE:
                yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))
    elif value is not None:
        yield path, value


def replaced(data: Any, path: Path, value: Any) -> Any:
    changed = copy.deepcopy(data)
    at = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return changed


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_no_value_is_converted_from_another_type(name: str) -> None:
    """A number in quotes, 3.0 for 3, 1 for true, a number for a text: each refuses the event."""
    data = EXAMPLES[name]
    for path, value in leaves(data):
        if isinstance(value, bool):
            wrong: list[Any] = [int(value), str(value).lower(), [value]]
        elif isinstance(value, int):
            wrong = [str(value), float(value), True, [value]]
        else:
            wrong = [7, True, [value], {}]
        for other in wrong:
            assert verdict(name, replaced(data, path, other)) is RefusedReason.INVALID_DATA, (path, other)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_null_is_absent(name: str) -> None:
    """A field may be null exactly where it may be missing, and then it means the same."""
    data = EXAMPLES[name]
    fields = type(read(name, data).data).model_fields
    for field in data:
        missing = {key: value for key, value in data.items() if key != field}
        null = {**data, field: None}
        keyed = field == "company_id"  # the key is compared with it
        if name == "callback.assigned" and field == "assigned_to":
            continue
        if fields[field].is_required():
            assert verdict(name, null) is RefusedReason.INVALID_DATA, field
            if name != "appointment.deleted":
                assert verdict(name, missing) is RefusedReason.INVALID_DATA, field
        elif not keyed:
            assert read(name, null) == read(name, missing), field


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_unknown_fields_are_left_out(name: str) -> None:
    """A producer may add fields: they are neither refused nor kept."""
    assert read(name, EXAMPLES[name] | {"colour": "blue", "nested": {"a": [1]}}) == read(name, EXAMPLES[name])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("callback.requested", CALLBACK | {"priority": "low"}),
        ("callback.requested", CALLBACK | {"status": "open"}),
        ("callback.requested", CALLBACK | {"status": "Pending"}),
        ("callback.requested", CALLBACK | {"notify": "nobody"}),
        ("appointment.created", APPOINTMENT | {"status": "confirmed"}),
        ("branch.upserted", BRANCH | {"strategy": "random"}),
        ("notification_config.upserted", CONFIG | {"channel": "fax"}),
        ("notification_config.upserted", CONFIG | {"fallback_channels": ["fax"]}),
        ("notification_config.upserted", CONFIG | {"level": "customer"}),
        ("notification_config.upserted", CONFIG | {"event_type": "callback.requested"}),
        ("customer_preferences.upserted", PREFERENCES | {"unsubscribed": [{"channel": "fax"}]}),
        ("notification.requested", REQUEST | {"contents": {"fax": REQUEST["contents"]["email"]}}),
    ],
)
def test_a_value_that_is_none_of_the_possible_ones_refuses_the_event(name: str, data: Any) -> None:
    """An unknown status, channel or strategy is refused, so that the previous version of the entity stays."""
    assert verdict(name, data) is RefusedReason.INVALID_DATA


@pytest.mark.parametrize("name", ["callback.auto_assign", "callback.bulk_auto_assign", "callback.reassign"])
def test_a_command_with_an_unknown_strategy_is_read(name: str) -> None:
    """Its sender is answered by a decision, not by a dead letter."""
    assert verdict(name, EXAMPLES[name] | {"strategy": "random"}) is None


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-22T09:00:00",
        "2026-11-22",
        "2026-11-22T09:00Z",
        "2026-11-22T25:00:00Z",
        "2026-11-22T09:00:60Z",
        "2026-11-30T23:59:60",
        "2026-11-30T23:59:60+01:00",
        "2026-11-30T23:59:61Z",
        "9999-12-31T23:59:60Z",
        "0001-01-01T00:00:60+14:00",
        "2026-02-29T09:00:00Z",
        "2026-11-22T09:00:00 Europe/Berlin",
        "20261122T090000Z",
        "1700000000",
        "now",
        "",
        1700000000,
        1.5,
    ],
)
def test_a_time_is_rfc_3339_with_offset(time: Any) -> None:
    """A time without an offset, a time stamp and anything else that is not RFC 3339 refuse the event."""
    assert verdict("callback.requested", CALLBACK | {"requested_at": time}) is RefusedReason.INVALID_DATA


@pytest.mark.parametrize("id", ["", "a b", "a/b", "ä", "a\n", "x" * 65])
def test_an_id_has_its_alphabet(id: str) -> None:
    """Ids are 1 to 64 letters, digits, dots, underscores, colons and dashes."""
    assert verdict("callback.requested", CALLBACK | {"callback_id": id}) is RefusedReason.INVALID_DATA


def test_an_id_may_use_all_of_its_alphabet() -> None:
    """Every permitted character and length is accepted."""
    for id in ("A", "x" * 64, "01JD-a_b.c:d"):
        assert verdict("callback.requested", CALLBACK | {"callback_id": id}) is None


@pytest.mark.parametrize("version", [-1, 2**63])
def test_a_version_fits_a_database(version: int) -> None:
    """A version is a natural number of 63 bits."""
    assert verdict("service.upserted", EXAMPLES["service.upserted"] | {"version": version})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("callback.requested", CALLBACK | {"notes": "x" * 10_001}),
        ("callback.requested", CALLBACK | {"customer": CUSTOMER | {"name": "ä" * 10_001}}),
        ("callback.requested", CALLBACK | {"extra": {"room": "x" * 10_001}}),
        ("staff.upserted", STAFF | {"name": "x" * 100_000}),
        ("template.upserted", TEMPLATE | {"body_text": "x" * 10_001}),
        ("template.upserted", TEMPLATE | {"body_html": "x" * (256 * 1024 + 1)}),
        ("template.upserted", TEMPLATE | {"body_html": "ä" * (128 * 1024 + 1)}),
        ("callback.reassign", EXAMPLES["callback.reassign"] | {"reason": "x" * 10_001}),
        ("callback.auto_assigned", DECISION | {"staff_name": "x" * 10_001}),
    ],
)
def test_a_text_that_is_too_long_refuses_the_event(name: str, data: Any) -> None:
    """Free text ends at 10 000 characters, HTML at 256 KiB."""
    assert verdict(name, data) is RefusedReason.TOO_LONG


def test_a_providers_template_has_at_most_a_hundred_parameters() -> None:
    """Filled with long values, more would make a request that no topic takes."""
    template = EXAMPLES["template.upserted"]

    def with_parameters(number: int) -> dict[str, Any]:
        filled = {"name": "termin", "language": "de", "parameters": ["customer_name"] * number}
        return template | {"provider_template": filled}

    assert verdict("template.upserted", with_parameters(100)) is None
    assert verdict("template.upserted", with_parameters(101)) is RefusedReason.INVALID_DATA


def test_long_texts_are_read_up_to_their_limit() -> None:
    """10 000 characters of notes and 256 KiB of HTML are accepted."""
    assert verdict("callback.requested", CALLBACK | {"notes": "ä" * 10_000}) is None
    assert verdict("template.upserted", TEMPLATE | {"body_html": "ä" * (128 * 1024)}) is None


def test_a_text_with_a_nul_character_refuses_the_event() -> None:
    """U+0000 cannot be stored by PostgreSQL; a backslash that is written out can."""
    assert verdict("callback.requested", CALLBACK | {"notes": "a\0b"}) is RefusedReason.INVALID_DATA
    assert verdict("callback.requested", CALLBACK | {"notes": "\\\0"}) is RefusedReason.INVALID_DATA
    assert verdict("callback.requested", CALLBACK | {"notes": r"\u0000 and \\u0000"}) is None


@pytest.mark.parametrize(
    "link", ["http://b.example", "javascript:alert(1)", "https://b.example/ x", 'https://b"x']
)
def test_links_are_https(link: str) -> None:
    """A link that could not be put into a mail safely refuses the event."""
    assert verdict("callback.requested", CALLBACK | {"links": {"manage": link}}) is RefusedReason.INVALID_DATA


def test_extra_is_flat() -> None:
    """`extra` holds texts and nothing else."""
    assert (
        verdict("callback.requested", CALLBACK | {"extra": {"room": {"floor": "2"}}}) is RefusedReason.INVALID_DATA
    )


@pytest.mark.parametrize(
    "customer",
    [
        {"email": "no address"},
        {"email": "a@b.example\r\nBcc: c@d.example"},
        {"phone": "0151 123"},
        {"phone": "+49\n1"},
        {"timezone": "Mars/Olympus"},
        {"locale": "klingon"},
        {"push": {}},
        {"push": "token"},
        {"push": {"web_push": {"endpoint": "https://push.example"}}},
        {"push": {"fcm_token": 7}},
    ],
)
def test_a_customers_bad_address_does_not_cost_the_event(customer: Any) -> None:
    """With a malformed address, zone or subscription the event is still read."""
    assert verdict("callback.requested", CALLBACK | {"customer": CUSTOMER | customer}) is None
    assert verdict("appointment.created", APPOINTMENT | {"customer": CUSTOMER | customer}) is None
