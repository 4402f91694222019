"""How the demo's companies tell people: chains of channels, words of their own, reminders."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from streams.demo.entities import Entity, Happened

TO_CUSTOMERS = (
    "appointment.created",
    "appointment.updated",
    "appointment.rescheduled",
    "appointment.cancelled",
    "appointment.deleted",
    "callback.received",
)
TO_STAFF = ("callback.assigned", "callback.withdrawn")
CANCELLED, RECEIVED, REMINDER = "appointment.cancelled", "callback.received", "appointment.reminder"

SALON, PRACTICE, WORKSHOP = "schnittwerk", "praxis-linde", "rad-und-tat"
"""The salon reminds two hours before, by SMS in its own words; the practice by WhatsApp on the day before, when it
is 14:00 at the branch. The workshop prefers its app, and its mechanics have no desk."""
CHAINS: dict[tuple[str, str], tuple[str, ...]] = {
    (SALON, CANCELLED): ("sms", "push", "email"),
    (SALON, REMINDER): ("sms", "push", "email"),
    (PRACTICE, REMINDER): ("whatsapp", "sms", "email"),
    (WORKSHOP, RECEIVED): ("whatsapp", "push", "email"),
    **{(WORKSHOP, event_type): ("push", "sms", "email") for event_type in TO_CUSTOMERS if event_type != RECEIVED},
    **{(WORKSHOP, event_type): ("sms", "email") for event_type in TO_STAFF},
    **{(company_id, event_type): ("email",) for company_id in (SALON, PRACTICE) for event_type in TO_STAFF},
}
"""Where it is not by e-mail, then by SMS, then in the app."""
USUAL = ("email", "sms", "push")
BEFORE = timedelta(hours=2)
AT = time(14)
TIMINGS: dict[str, dict[str, Any]] = {
    SALON: {"minutes_before": int(BEFORE.total_seconds() // 60)},
    PRACTICE: {"days_before": 1, "at": f"{AT:%H:%M}"},
}


def due(company_id: str, starts_at: datetime, zone: str) -> datetime:
    """When the reminder of an appointment falls due."""
    if company_id == SALON:
        return starts_at - BEFORE
    eve = starts_at.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    return datetime.combine(eve, AT, ZoneInfo(zone))


def configurations(company_id: str) -> Iterator[Happened]:
    """Decided by the company."""
    own = {template.data["template_id"] for template in templates(company_id)}
    for event_type in (*TO_CUSTOMERS, *TO_STAFF, *([REMINDER] if company_id in TIMINGS else ())):
        template_id = _template_id(event_type)
        channel, *others = CHAINS.get((company_id, event_type), USUAL)
        data = {
            "config_id": f"cfg-{event_type}",
            "level": "company",
            "level_id": company_id,
            "event_type": event_type,
            "channel": channel,
            "fallback_channels": others,
            "is_enabled": True,
            "audience": "staff" if event_type in TO_STAFF else "customer",
            "template_id": template_id if template_id in own else None,
            **(TIMINGS[company_id] if event_type == REMINDER else {}),
        }
        yield Entity(company_id, "notification_config", data).event("notification_config.upserted")


def templates(company_id: str) -> list[Entity]:
    """What the company says in its own words, on the channel that it prefers."""
    return [_template(*whose, words) for whose, words in WORDS.items() if whose[0] == company_id]


def approved() -> dict[tuple[str, str], int]:
    """WhatsApp's templates, by name and language: how many parameters each takes."""
    found = [words["provider_template"] for words in WORDS.values() if "provider_template" in words]
    return {(each["name"], each["language"]): len(each["parameters"]) for each in found}


def misspelt(template: Entity) -> Happened:
    """The template's next version, in which somebody has slipped."""
    text = template.data["body_text"].replace("customer_name", "customer_nmae")
    return template.event("template.upserted", body_text=text)


def _template(company_id: str, event_type: str, words: dict[str, Any]) -> Entity:
    channel = CHAINS.get((company_id, event_type), USUAL)[0]
    data = {"template_id": _template_id(event_type), "channel": channel, "locale": "de", **words}
    return Entity(company_id, "template", data)


def _template_id(event_type: str) -> str:
    return f"own-{event_type}"


_TEXT = """\
Hallo {{ customer_name }},

wir freuen uns auf dich:
{{ appointment_date }}, {{ appointment_time }} Uhr, {{ appointment_duration }}
{{ service_name }}{% if staff_name %} bei {{ staff_name }}{% endif %}, {{ branch_name }}, Platz {{ extra.chair }}
{% if manage_url %}
Kommt etwas dazwischen? {{ manage_url }}
{% endif %}
Dein Schnittwerk
"""

_HTML = """\
<!doctype html>
<html lang="de">
<body style="margin:0;padding:32px;background:#fdf3ea;font:16px/1.5 Georgia,serif;color:#3a2a20">
<h1 style="font-size:24px;color:#a8432d">Hallo {{ customer_name }},</h1>
<p>wir freuen uns auf dich:</p>
<p style="font-size:20px"><b>{{ appointment_date }}, {{ appointment_time }} Uhr</b>, {{ appointment_duration }}</p>
<p>{{ service_name }}{% if staff_name %} bei {{ staff_name }}{% endif %}<br>
{{ branch_name }}, <b>Platz {{ extra.chair }}</b></p>
{% if manage_url %}<p><a href="{{ manage_url }}" style="color:#a8432d">Kommt etwas dazwischen?</a></p>{% endif %}
<p>Dein Schnittwerk</p>
</body>
</html>
"""

WORDS: dict[tuple[str, str], dict[str, Any]] = {
    (SALON, "appointment.created"): {
        "subject": "Schön, dass du kommst, {{ customer_name }}!",
        "body_text": _TEXT,
        "body_html": _HTML,
    },
    (SALON, REMINDER): {
        "body_text": "Hallo {{ customer_name }}, bis gleich! Um {{ appointment_time }} Uhr sehen wir uns: "
        "{{ service_name }}, {{ branch_name }}, Platz {{ extra.chair }}. Dein Schnittwerk"
    },
    (PRACTICE, REMINDER): {
        "body_text": "Guten Tag {{ customer_name }}, wir erinnern Sie an Ihren Termin am {{ appointment_date }} "
        "um {{ appointment_time }} Uhr, {{ branch_name }}.",
        "provider_template": {
            "name": "termin_erinnerung",
            "language": "de",
            "parameters": ["customer_name", "appointment_date", "appointment_time", "branch_name"],
        },
    },
    (WORKSHOP, RECEIVED): {
        "body_text": "Moin {{ customer_name }}, wir rufen zurück. {{ branch_name }}",
        "provider_template": {
            "name": "rueckruf_kommt",
            "language": "de",
            "parameters": ["customer_name", "branch_name"],
        },
    },
}
"""By company and event type; of WhatsApp's templates the provider has the words, and fills in the parameters."""
