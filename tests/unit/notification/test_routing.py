"""Configurations: which level decides, and what the request or suppression says about it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import Event
from streams.policy.notification.identity import notification_id, recipient_hash
from tests.unit.notification.world import (
    COMPANY,
    World,
    appointment,
    branch,
    callback,
    company,
    config,
    customer,
    decision,
    outline,
    requests,
    service,
    staff,
    suppressions,
)

LEVELS = {"staff": "anna", "service": "cut", "branch": "b-1", "company": COMPANY}
"""From the most specific, with the id that concerns the appointment of these tests."""


def world(*configs: dict[str, Any], locale: str = "de") -> World:
    opened = World()
    opened.send("company.upserted", company(locale=locale))
    opened.send("branch.upserted", branch())
    opened.send("service.upserted", service())
    opened.send("staff.upserted", staff())
    for each in configs:
        opened.send("notification_config.upserted", each)
    return opened


def created(**fields: Any) -> dict[str, Any]:
    return config("appointment.created", **fields)


def told(opened: World, **fields: Any) -> list[Event]:
    return opened.send("appointment.created", appointment(**fields))


@pytest.mark.parametrize("level", LEVELS)
def test_most_specific_level_decides(level: str) -> None:
    """The first level that says anything, from staff over service and branch to company, decides alone."""
    names = list(LEVELS)
    heard = names[names.index(level) :]
    opened = world(*(created(config_id=f"at-{name}", level=name, level_id=LEVELS[name]) for name in heard))
    [request] = requests(told(opened))
    assert (request.config.config_id, request.config.level) == (f"at-{level}", level)


def test_disabled_silences_the_levels_above() -> None:
    """ "Off" at a level is a suppression that names it, and no level above it sends."""
    opened = world(created(config_id="off", level="branch", level_id="b-1", is_enabled=False), created())
    [outcome] = suppressions(told(opened))
    assert outcome.reason == "disabled"
    assert outcome.channel == "email"
    assert outcome.config is not None
    assert (outcome.config.config_id, outcome.config.level, outcome.config.version) == ("off", "branch", 1)


def test_each_configuration_of_the_level() -> None:
    """Each enabled configuration at the deciding level is one notification, each disabled one a suppression."""
    opened = world(created(config_id="a"), created(config_id="b", is_enabled=False), created(config_id="c"))
    events = told(opened)
    assert [each.type for each in events] == [
        "notification.requested",
        "notification.suppressed",
        "notification.requested",
    ]
    ids = [each.data.notification_id for each in events]
    assert len(set(ids)) == 3


def test_audiences_are_on_their_own() -> None:
    """A level that speaks of the colleagues says nothing about the customers."""
    opened = world(created(config_id="staff", level="branch", level_id="b-1", audience="staff"), created())
    assert outline(told(opened)) == [
        ("appointment.created", "customer", "cu-1"),
        ("appointment.created", "staff", "anna"),
    ]


def test_no_configuration() -> None:
    """Nothing configured anywhere: suppressed for the customer of an appointment, silent for the colleague."""
    opened = world()
    assert outline(told(opened)) == [("appointment.created", "customer", "no_configuration")]


def test_another_level_id_says_nothing() -> None:
    """A configuration of another branch or another company's id does not concern this one."""
    opened = world(created(level="branch", level_id="b-2"), created(config_id="x", level_id="co-8"))
    assert outline(told(opened)) == [("appointment.created", "customer", "no_configuration")]


def test_staff_level_of_a_callback() -> None:
    """For who gets a callback, the staff level is their own."""
    opened = world(config("callback.assigned", level="staff", level_id="anna"))
    opened.send("callback.requested", callback(staff_id="ben"))
    [request] = requests(opened.send("callback.auto_assigned", decision("d-1", "anna")))
    assert request.config.level == "staff"


def test_changed_configuration() -> None:
    """A configuration that moves to another level or audience leaves the old one."""
    opened = world(created(config_id="one"))
    opened.send("notification_config.upserted", created(config_id="one", version=2, audience="staff"))
    assert outline(told(opened)) == [
        ("appointment.created", "customer", "no_configuration"),
        ("appointment.created", "staff", "anna"),
    ]


def test_older_configuration() -> None:
    """An older or equal version of a configuration changes nothing, even after a deletion."""
    opened = world(created(config_id="one", version=2))
    opened.send("notification_config.upserted", created(config_id="one", version=2, is_enabled=False))
    assert len(requests(told(opened))) == 1
    opened.send("notification_config.deleted", {"config_id": "one", "version": 3})
    opened.send("notification_config.upserted", created(config_id="one", version=3))
    assert requests(told(opened, version=2)) == []
    opened.send("notification_config.upserted", created(config_id="one", version=4))
    assert requests(told(opened, version=3))[0].config.version == 4


def test_request_says_everything() -> None:
    """A request carries recipient, chain, text, schedule and what produced it."""
    opened = world(created(config_id="one", version=7, retry_schedule_seconds=[5, 50], template_id="theirs"))
    [event] = told(opened)
    [request] = requests([event])
    assert event.id == request.notification_id
    assert event.subject == "appointment/ap-1"
    assert event.time == opened.at
    assert request.notification_id == notification_id(
        COMPANY, "/booking/test", "booking.appointments-0", "one", "customer", "cu-1"
    )
    assert request.recipient.model_dump(exclude_none=True) == {
        "type": "customer",
        "id": "cu-1",
        "name": "Erika Muster",
        "email": "erika@example.org",
    }
    assert (request.channel, request.fallback_channels, request.skipped) == ("email", (), ())
    assert request.retry_schedule_seconds == (5, 50)
    assert (request.config.config_id, request.config.level, request.config.version) == ("one", "company", 7)
    assert (request.caused_by, request.cause.topic) == ("booking.appointments-0", "booking.appointments")
    assert request.locale == "de"
    content = request.contents["email"]
    assert (content.template.template_id, content.template.version) == ("builtin:appointment.created.email.de", 0)


def test_default_retry_schedule() -> None:
    """A configuration without a retry schedule gets the usual one, an empty one means no retries."""
    assert requests(told(world(created())))[0].retry_schedule_seconds == (60, 300, 900)
    assert requests(told(world(created(retry_schedule_seconds=[]))))[0].retry_schedule_seconds == ()


def test_fallback_to_email() -> None:
    """A channel without an address is skipped with a reason, and the mail among the fallbacks is used."""
    landline = customer(phone="030 98765")
    [request] = requests(told(world(created(channel="sms", fallback_channels=["email"])), customer=landline))
    assert (request.channel, request.fallback_channels) == ("sms", ("email",))
    assert [(skip.channel, skip.reason) for skip in request.skipped] == [("sms", "no_address")]
    assert list(request.contents) == ["email"]


@pytest.mark.parametrize(
    ("chain", "addresses"),
    [
        (("email",), ("erika@example.org", None)),
        (("sms",), (None, "+493098765")),
        (("whatsapp", "sms"), (None, "+493098765")),
        (("sms", "email"), ("erika@example.org", "+493098765")),
    ],
)
def test_addresses_of_the_chain(chain: tuple[str, ...], addresses: tuple[str | None, str | None]) -> None:
    """A request has the addresses that its chain needs and no other, and a text for each channel."""
    first, *others = chain
    [request] = requests(told(world(created(channel=first, fallback_channels=others))))
    assert (request.recipient.email, request.recipient.phone) == addresses
    assert tuple(request.contents) == chain


SUBSCRIBED = {
    "endpoint": "https://push.example.org/send/1",
    "keys": {"p256dh": "B" + "A" * 86, "auth": "A" * 22},
}


@pytest.mark.parametrize("push", [{"fcm_token": "token-1"}, {"web_push": SUBSCRIBED}])
def test_push_address(push: dict[str, Any]) -> None:
    """A request for push has the token or the subscription as the event has it, and no other address."""
    [request] = requests(told(world(created(channel="push")), customer=customer(push=push)))
    assert request.recipient.model_dump(exclude_none=True, exclude={"type", "id", "name"}) == {"push": push}
    assert list(request.contents) == ["push"]
    assert not request.skipped


@pytest.mark.parametrize(
    "push",
    [
        None,
        {},
        {"fcm_token": "not a token"},
        {"web_push": {**SUBSCRIBED, "endpoint": "ftp://push.example.org/"}},
        {"web_push": {**SUBSCRIBED, "keys": {"p256dh": "no key", "auth": "A" * 22}}},
        {"web_push": {"endpoint": "https://push.example.org/send/1"}},
    ],
)
def test_no_push_address(push: dict[str, Any] | None) -> None:
    """Without something that can be sent to, push is skipped, and the mail among the fallbacks is used."""
    created_by_push = world(created(channel="push", fallback_channels=["email"]))
    [request] = requests(told(created_by_push, customer=customer(push=push)))
    assert [(skip.channel, skip.reason) for skip in request.skipped] == [("push", "no_address")]
    assert list(request.contents) == ["email"]
    assert request.recipient.push is None


@pytest.mark.parametrize(
    "email", [None, "", "erika", "erika@example.org\r\nBcc: x@example.org", "a b@example.org"]
)
def test_no_usable_address(email: str | None) -> None:
    """A missing or unusable address skips e-mail; the event is processed all the same."""
    [request] = requests(told(world(created()), customer=customer(email=email)))
    assert [(skip.channel, skip.reason) for skip in request.skipped] == [("email", "no_address")]
    assert request.recipient.email is None
    assert request.contents == {}


@pytest.mark.parametrize(
    ("chosen", "said", "company_locale", "expected"),
    [
        (None, "en", "de", "en"),
        (None, "en-GB", "de", "en"),
        (None, "de_AT", "en", "de"),
        ("en", "de", "de", "en"),
        (None, "fr", "en", "en"),
        (None, None, "en", "en"),
        (None, "fr", "it", "de"),
        ("fr", "tr", "pl", "de"),
    ],
)
def test_language(chosen: str | None, said: str | None, company_locale: str, expected: str) -> None:
    """The customer's choice, the event's, the company's language, else German: the first with texts."""
    opened = world(created(), locale=company_locale)
    if chosen is not None:
        opened.send("customer_preferences.upserted", {"customer_id": "cu-1", "version": 1, "locale": chosen})
    [request] = requests(told(opened, customer=customer(locale=said)))
    assert request.locale == expected


def test_language_of_a_choice_taken_back() -> None:
    """Preferences that are deleted no longer count."""
    opened = world(created())
    opened.send("customer_preferences.upserted", {"customer_id": "cu-1", "version": 1, "locale": "en"})
    opened.send("customer_preferences.deleted", {"customer_id": "cu-1", "version": 2})
    assert requests(told(opened))[0].locale == "de"


def test_language_of_colleagues() -> None:
    """Colleagues are written to in the company's language, whatever the customer's is."""
    opened = world(created(audience="staff"), locale="en")
    [request] = requests(told(opened, customer=customer(locale="de")))
    assert request.locale == "en"
    assert request.recipient.id == "anna"


def test_unknown_company() -> None:
    """Without the company the branch stands for it, in German."""
    opened = World()
    opened.send("branch.upserted", branch())
    opened.send("notification_config.upserted", created())
    [request] = requests(told(opened))
    assert "Ihr Team von Salon Mitte" in request.contents["email"].body_text


def test_ids_are_functions_of_the_cause() -> None:
    """Two workers that apply the same log give the same notification ids."""
    assert [each.id for each in told(world(created()))] == [each.id for each in told(world(created()))]


def test_recipient_hash_ignores_case() -> None:
    """A recipient is recognised in outcomes whatever the case of the address; other keys give other hashes."""
    assert recipient_hash(b"k", "Erika@Example.org ") == recipient_hash(b"k", "erika@example.org")
    assert recipient_hash(b"k", "erika@example.org") != recipient_hash(b"l", "erika@example.org")


settled = st.fixed_dictionaries(
    {
        "level": st.sampled_from(list(LEVELS)),
        "own": st.booleans(),
        "audience": st.sampled_from(["customer", "staff"]),
        "event_type": st.sampled_from(["appointment.created", "appointment.updated"]),
        "is_enabled": st.booleans(),
    }
)


@given(st.lists(settled, max_size=12))
def test_first_level_decides(choices: list[dict[str, Any]]) -> None:
    """Whatever is configured, what comes out is what a search through all configurations finds."""
    opened = world()
    for number, choice in enumerate(choices):
        level_id = LEVELS[choice["level"]] if choice["own"] else "other"
        fields = {name: choice[name] for name in ("level", "audience", "is_enabled")}
        opened.send(
            "notification_config.upserted",
            config(choice["event_type"], config_id=f"c-{number:02}", level_id=level_id, **fields),
        )
    heard = [
        (each.data.audience, each.data.config.config_id if each.data.config else each.data.reason)
        for each in told(opened)
    ]
    assert heard == [*expected(choices, "customer"), *expected(choices, "staff")]


def expected(choices: list[dict[str, Any]], audience: str) -> list[tuple[str, str]]:
    concerning = [
        (number, choice)
        for number, choice in enumerate(choices)
        if choice["own"] and choice["audience"] == audience and choice["event_type"] == "appointment.created"
    ]
    for level in LEVELS:
        there = [number for number, choice in concerning if choice["level"] == level]
        if there:
            return [(audience, f"c-{number:02}") for number in there]
    return [("customer", "no_configuration")] if audience == "customer" else []
