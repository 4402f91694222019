"""A company's own templates: when they are used, and when they are refused."""

from typing import Any

import pytest

from schemas import Event
from schemas.notifications import Content, NotificationRequest
from schemas.reasons import RefusedReason
from tests.unit.notification.world import (
    World,
    appointment,
    callback,
    config,
    customer,
    decision,
    opened,
    requests,
    service,
)

BUILT_IN = "builtin:appointment.created.email.de"


def template(version: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "template_id": "ours",
        "version": version,
        "channel": "email",
        "locale": "de",
        "body_text": "Hallo {{ customer_name }}, bis {{ appointment_time }} Uhr!",
        **fields,
    }


def uses(event_type: str = "appointment.created", version: int = 2, **fields: Any) -> dict[str, Any]:
    return config(event_type, **{"version": version, "template_id": "ours", **fields})


def using(*templates: dict[str, Any]) -> World:
    """A company whose mail about a new appointment is of its own template."""
    world = opened()
    for each in templates:
        world.send("template.upserted", each)
    world.send("notification_config.upserted", uses())
    return world


def told(world: World, **fields: Any) -> NotificationRequest:
    return requests(world.send("appointment.created", appointment(**fields)))[0]


def mail(world: World, **fields: Any) -> Content:
    return told(world, **fields).contents["email"]


def refusals(events: list[Event]) -> list[tuple[str, str]]:
    return [(each.data.reason, each.data.detail) for each in events if each.type == "intake.refused"]


def test_own_words() -> None:
    """The configuration's template is what the customer reads; the request says which, and in which version."""
    content = mail(using(template(3, subject="Bis bald,\n{{ customer_name }}")))
    assert content.subject == "Bis bald, Erika Muster"
    assert content.body_text == "Hallo Erika Muster, bis 14:30 Uhr!"
    assert content.body_html is None
    assert (content.template.template_id, content.template.version) == ("ours", 3)


def test_no_subject_of_its_own() -> None:
    """Without a subject, or with one that comes out empty, the mail has the built-in one."""
    for subject in (None, "", "{{ extra.title }}"):
        content = mail(using(template(subject=subject)))
        assert content.subject == "Ihr Termin am 22.11.2026 um 14:30 Uhr"
        assert content.template.template_id == "ours"


def test_a_text_that_comes_out_empty() -> None:
    """A template that says nothing about an event leaves it to the built-in text."""
    content = mail(using(template(body_text="{% if extra.room %}Raum {{ extra.room }}{% endif %}\n")))
    assert content.template.template_id == BUILT_IN
    assert "Guten Tag Erika Muster" in content.body_text


def test_html_is_escaped() -> None:
    """What is filled into HTML is text there, whatever it looks like; in the text part it stands as it is."""
    html = '<p title="{{ customer_name }}">{{ customer_name }}</p>'
    content = mail(
        using(template(body_text="{{ customer_name }}", body_html=html)),
        customer=customer(name='<script>"{{x}}"'),
    )
    assert content.body_text == '<script>"{{x}}"'
    escaped = "&lt;script&gt;&#34;{{x}}&#34;"
    assert content.body_html == f'<p title="{escaped}">{escaped}</p>'


def test_every_reader_gets_it() -> None:
    """It is used whatever language the reader has; dates follow the reader."""
    content = mail(using(template(body_text="Am {{ appointment_date }}")), customer=customer(locale="en"))
    assert content.body_text == "Am 22 November 2026"


def test_only_on_its_own_channel() -> None:
    """A template for another channel than the one that is used leaves the mail as it is built in."""
    assert mail(using(template(channel="sms"))).template.template_id == BUILT_IN


def test_template_that_comes_later() -> None:
    """Until a template arrives the built-in text is used; again so after its deletion, and it may come back."""
    world = using()
    assert mail(world).template.template_id == BUILT_IN
    world.send("template.upserted", template())
    assert mail(world, version=2, appointment_id="ap-2").template.template_id == "ours"
    world.send("template.deleted", {"template_id": "ours", "version": 2})
    assert mail(world, appointment_id="ap-3").template.template_id == BUILT_IN
    world.send("template.upserted", template(2))
    assert mail(world, appointment_id="ap-4").template.template_id == BUILT_IN
    world.send("template.upserted", template(3))
    assert mail(world, appointment_id="ap-5").template.version == 3


def test_older_versions() -> None:
    """An older or equal version changes nothing, not even the dead letters, and is counted as stale."""
    world = using(template(2))
    assert world.send("template.upserted", template(2, body_text="{{ nonsense }}")) == []
    assert world.send("template.deleted", {"template_id": "ours", "version": 1}) == []
    assert world.counted["staffetta_intake_total", "booking.directory", "stale"] == 2
    assert mail(world).body_text == "Hallo Erika Muster, bis 14:30 Uhr!"


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"body_text": "{{ customer_nmae }}"}, "body_text: there is no placeholder 'customer_nmae'"),
        ({"subject": "{{ is_urgent }}"}, "subject: there is no placeholder 'is_urgent'"),
        ({"body_html": "<b>{{ customer_name"}, "body_html: unexpected end of template"),
        ({"body_text": "{{ callback_priority }}"}, "appointment.created can never fill {{ callback_priority }}"),
        ({"subject": "{{ previous_appointment_time }}"}, "can never fill {{ previous_appointment_time }}"),
    ],
)
def test_bad_template(fields: dict[str, Any], detail: str) -> None:
    """A bad template goes to the dead letters with the place and the reason; the version before it stays in force,
    and the next good one is taken."""
    world = using(template())
    events = world.send("template.upserted", template(2, **fields))
    [(reason, said)] = refusals(events)
    assert reason == RefusedReason.UNKNOWN_PLACEHOLDER
    assert detail in said
    assert mail(world).template.version == 1
    counted = world.counted
    assert counted["staffetta_intake_total", "booking.directory", "dead_letter"] == 1
    assert counted["staffetta_dead_letters_total", "intake.dead-letters", "unknown_placeholder"] == 1
    assert refusals(world.send("template.upserted", template(2))) == []
    assert mail(world, appointment_id="ap-2").template.version == 2


def test_configuration_that_cannot_fill_its_template() -> None:
    """A configuration whose template needs what its event type never has is refused; what it said before holds."""
    world = opened()
    world.send("template.upserted", template(body_text="Bisher {{ previous_appointment_time }}"))
    for event_type in ("appointment.created", "callback.received", "callback.assigned"):
        [(reason, said)] = refusals(world.send("notification_config.upserted", uses(event_type)))
        assert reason == RefusedReason.UNKNOWN_PLACEHOLDER
        assert said == f"template ours: {event_type} can never fill {{{{ previous_appointment_time }}}}"
    assert told(world).config.version == 1
    assert refusals(world.send("notification_config.upserted", uses("appointment.rescheduled"))) == []


def test_configuration_that_moved_on() -> None:
    """What no configuration uses any more may need what it likes."""
    greedy = template(2, body_text="{{ callback_priority }}")
    for left in (uses(version=3, template_id=None), uses(version=3, template_id="other")):
        world = using(template())
        world.send("notification_config.upserted", left)
        assert refusals(world.send("template.upserted", greedy)) == []
    world = using(template())
    world.send("notification_config.deleted", {"config_id": uses()["config_id"], "version": 3})
    assert refusals(world.send("template.upserted", greedy)) == []


def test_after_a_restart() -> None:
    """Another worker knows the templates and who uses them."""
    world = using(template())
    world.restart()
    assert refusals(world.send("template.upserted", template(2, body_text="{{ callback_priority }}")))
    assert mail(world).template.version == 1


def test_companies_are_apart() -> None:
    """The template of one company is not that of another with the same id."""
    world = using(template())
    other = World(company_id="co-8")
    other.state, other.partition = world.state, world.partition
    other.send("notification_config.upserted", config("appointment.created", template_id="ours", level_id="co-8"))
    other.send("branch.upserted", {"branch_id": "b-1", "version": 1, "name": "B", "timezone": "UTC"} | _AUTO)
    assert mail(other).template.template_id == BUILT_IN


_AUTO = {"auto_assign": True, "strategy": "load_based"}


def test_cancelled_by_the_same_event() -> None:
    """Nobody reads, in own words either, that an appointment stands which is cancelled."""
    content = mail(using(template()), status="cancelled")
    assert content.template.template_id == "builtin:appointment.cancelled.email.de"


def test_extra() -> None:
    """`extra` of the event is there by name, one line each, also for a message that had to wait; what is missing
    is empty."""
    text = "Raum {{ extra.room }}, {{ extra.floor|default('Erdgeschoss') }}{{ extra.items }}."
    world = World()
    world.send("template.upserted", template(body_text=text))
    world.send("notification_config.upserted", uses())
    assert world.send("appointment.created", appointment(extra={"room": "3\n{{ a }}", "no name": "x"})) == []
    [request] = requests(
        world.send("branch.upserted", {"branch_id": "b-1", "version": 1, "name": "B", "timezone": "UTC"} | _AUTO)
    )
    assert request.contents["email"].body_text == "Raum 3 {{ a }}, Erdgeschoss."


def test_extra_is_forgotten_with_the_person() -> None:
    """After an erasure nothing of what the event carried about the customer is left in the state."""
    world = opened()
    world.send("appointment.created", appointment(extra={"wish": "window seat"}))
    world.send("customer.erased", {"customer_id": "cu-1"})
    assert not any(b"window seat" in row for row in world.rows().values())


def test_confidential_service() -> None:
    """An own template does not learn the name of a confidential service."""
    world = using(template(subject="{{ service_name }}", body_text="{{ service_name }}"))
    world.send("service.upserted", service(service_id="secret", name="Suchtberatung", confidential=True))
    content = mail(world, service_id="secret")
    assert (content.subject, content.body_text) == ("Termin", "Termin")


def test_callbacks() -> None:
    """A colleague's message can be of an own template too."""
    world = opened()
    world.send("template.upserted", template(body_text="{{ callback_phone }}: {{ callback_priority|upper }}"))
    world.send("notification_config.upserted", uses("callback.assigned"))
    world.send("callback.requested", callback(priority="urgent"))
    [request] = requests(world.send("callback.auto_assigned", decision("d-1", "anna")))
    assert request.contents["email"].body_text == "+493098765: DRINGEND"


def test_a_text_that_outgrows_a_request() -> None:
    """A text that becomes too long when it is filled is cut at a word, HTML that does is left out: the mail still
    goes on its way."""
    long = "<" * 190
    world = using(template(body_text="{{ customer_name }} " * 400, body_html="{{ customer_name }} " * 1_000))
    request = told(world, customer=customer(name=long))
    content = request.contents["email"]
    assert content.body_text.endswith(f"{long}…")
    assert content.body_html is None
    [due] = world.send("notification.requested", request.model_dump(mode="json"))
    assert due.type == "notification.attempt_due"


def test_a_subject_that_is_too_long() -> None:
    """A subject is cut at a word, so that mail programs take it, and its own request too."""
    world = using(template(subject="{{ customer_name }} " * 400))
    request = told(world, customer=customer(name="Erika Muster " * 10))
    subject = request.contents["email"].subject
    assert subject is not None
    assert len(subject) <= 250
    assert subject.endswith(("Erika…", "Muster…"))
    [due] = world.send("notification.requested", request.model_dump(mode="json"))
    assert due.type == "notification.attempt_due"


def test_links_that_are_not_https() -> None:
    """An event with a link that a browser would run is refused, and says which; nothing is sent."""
    events = opened().send("appointment.created", appointment(links={"cancel": "javascript:alert(1)"}))
    [(reason, detail)] = refusals(events)
    assert reason == RefusedReason.INVALID_DATA
    assert "links.cancel" in detail
    assert len(events) == 1


APPROVED = {"name": "reminder", "language": "de_AT", "parameters": ["customer_name", "staff_name", "extra.room"]}


def by_whatsapp(**fields: Any) -> World:
    """A company that tells of a new appointment by a template of WhatsApp's."""
    world = opened()
    world.send("template.upserted", template(channel="whatsapp", provider_template=APPROVED, **fields))
    world.send("notification_config.upserted", uses(channel="whatsapp", fallback_channels=["sms"]))
    return world


def test_approved_template() -> None:
    """What the provider knows by name goes with its parameters filled, in order; what an event has nothing for is
    a dash, since no parameter may be empty. Other channels have their own text."""
    contents = told(by_whatsapp(), staff_id=None, extra={"room": "3\n B"}).contents
    asked = contents["whatsapp"].provider_template
    assert asked is not None
    assert (asked.name, asked.language, asked.parameters) == ("reminder", "de_AT", ("Erika Muster", "–", "3 B"))
    assert contents["whatsapp"].template.template_id == "ours"
    assert contents["whatsapp"].body_text == "Hallo Erika Muster, bis 14:30 Uhr!"
    assert contents["sms"].provider_template is None


def test_approved_template_survives() -> None:
    """Another worker asks for the same one; and it may stand without words of the company's own."""
    world = by_whatsapp(body_text="")
    world.restart()
    content = told(world).contents["whatsapp"]
    assert content.provider_template is not None
    assert content.body_text.startswith("Guten Tag")


def test_only_whatsapp_knows_approved_templates() -> None:
    """On another channel there is nothing to ask for."""
    world = using(template(channel="sms", provider_template=APPROVED))
    world.send("notification_config.upserted", uses(version=3, channel="sms"))
    assert told(world).contents["sms"].provider_template is None


def test_no_approved_template_for_what_is_cancelled() -> None:
    """An event that at once cancels is not told in the words of a new appointment."""
    content = told(by_whatsapp(), status="cancelled").contents["whatsapp"]
    assert content.provider_template is None
