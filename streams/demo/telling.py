"""How the demo's companies tell people: configurations, words of their own, reminders."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from streams.demo.entities import Entity, Happened

CUSTOMER_MAIL = (
    "appointment.created",
    "appointment.updated",
    "appointment.rescheduled",
    "appointment.cancelled",
    "appointment.deleted",
    "callback.received",
)
STAFF_MAIL = ("callback.assigned", "callback.withdrawn")
REMINDER = "appointment.reminder"

SALON, PRACTICE = "schnittwerk", "praxis-linde"
"""The salon reminds two hours before, in its own words; the practice on the day before, when it is 14:00 at the
branch."""
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
    """Everything by e-mail, decided by the company."""
    own = {template.data["template_id"] for template in templates(company_id)}
    for event_type in (*CUSTOMER_MAIL, *STAFF_MAIL, *([REMINDER] if company_id in TIMINGS else ())):
        template_id = _template_id(event_type)
        data = {
            "config_id": f"cfg-{event_type}",
            "level": "company",
            "level_id": company_id,
            "event_type": event_type,
            "channel": "email",
            "fallback_channels": [],
            "is_enabled": True,
            "audience": "staff" if event_type in STAFF_MAIL else "customer",
            "template_id": template_id if template_id in own else None,
            **(TIMINGS[company_id] if event_type == REMINDER else {}),
        }
        yield Entity(company_id, "notification_config", data).event("notification_config.upserted")


def templates(company_id: str) -> list[Entity]:
    """What the company says in its own words."""
    if company_id != SALON:
        return []
    return [_template(event_type, *words) for event_type, words in _WORDS.items()]


def misspelt(template: Entity) -> Happened:
    """The template's next version, in which somebody has slipped."""
    text = template.data["body_text"].replace("customer_name", "customer_nmae")
    return template.event("template.upserted", body_text=text)


def _template(event_type: str, subject: str, opening: str) -> Entity:
    data = {
        "template_id": _template_id(event_type),
        "channel": "email",
        "locale": "de",
        "subject": subject,
        "body_text": _TEXT.replace("OPENING", opening),
        "body_html": _HTML.replace("OPENING", opening),
    }
    return Entity(SALON, "template", data)


def _template_id(event_type: str) -> str:
    return f"own-{event_type}"


_WORDS = {
    "appointment.created": ("Schön, dass du kommst, {{ customer_name }}!", "wir freuen uns auf dich:"),
    REMINDER: ("Bis gleich, {{ customer_name }}!", "in zwei Stunden sehen wir uns:"),
}
"""(subject, opening)"""

_TEXT = """\
Hallo {{ customer_name }},

OPENING
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
<p>OPENING</p>
<p style="font-size:20px"><b>{{ appointment_date }}, {{ appointment_time }} Uhr</b>, {{ appointment_duration }}</p>
<p>{{ service_name }}{% if staff_name %} bei {{ staff_name }}{% endif %}<br>
{{ branch_name }}, <b>Platz {{ extra.chair }}</b></p>
{% if manage_url %}<p><a href="{{ manage_url }}" style="color:#a8432d">Kommt etwas dazwischen?</a></p>{% endif %}
<p>Dein Schnittwerk</p>
</body>
</html>
"""
