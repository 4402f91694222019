"""One message of every event type, with every field filled in."""

from typing import Any

from schemas import EVENT_TYPES

Data = dict[str, Any]

CHANGE: Data = {
    "company_id": "co-7",
    "version": 3,
    "notify": "staff",
    "extra": {"room": "2. Stock"},
    "links": {
        "manage": "https://b.example/m",
        "cancel": "https://b.example/c",
        "reschedule": "https://b.example/r",
    },
}
DELETED: Data = {"company_id": "co-7", "version": 9}
CUSTOMER: Data = {
    "customer_id": "cu-1",
    "name": "Jürgen Müller",
    "email": "j.mueller@example.com",
    "phone": "+4915112345678",
    "push": {
        "fcm_token": "token",
        "web_push": {"endpoint": "https://push.example/1", "keys": {"p256dh": "BNc", "auth": "tBH"}},
    },
    "locale": "de",
    "timezone": "Europe/Berlin",
}
QUIET: Data = {"start": "21:00", "end": "08:00"}
APPOINTMENT: Data = CHANGE | {
    "appointment_id": "ap-1",
    "branch_id": "br-1",
    "service_id": "sv-1",
    "staff_id": "st-1",
    "customer": CUSTOMER,
    "starts_at": "2026-11-22T13:30:00Z",
    "duration_minutes": 45,
    "previous_starts_at": "2026-11-21T13:30:00Z",
    "status": "booked",
    "notes": "Bitte klingeln",
}
CALLBACK: Data = CHANGE | {
    "callback_id": "cb-1",
    "branch_id": "br-1",
    "service_id": "sv-1",
    "staff_id": "st-1",
    "assigned_to": "st-2",
    "customer": CUSTOMER,
    "priority": "urgent",
    "status": "pending",
    "requested_at": "2026-11-22T09:00:00Z",
    "expires_at": "2026-11-23T09:00:00Z",
    "preferred_time_window": {"from": "14:00", "days": [1, 2.5, True]},
    "notes": "Rückfrage",
    "decision_id": "de-1",
    "assign": False,
}
STAFF: Data = CHANGE | {
    "staff_id": "st-1",
    "name": "Anna",
    "email": "anna@example.com",
    "phone": "+4915112345678",
    "branch_ids": ["br-1"],
    "service_ids": ["sv-1"],
    "is_active": True,
    "accepts_callbacks": True,
    "max_active_callbacks": 6,
    "working_hours": {"mon": [["09:00", "12:00"], ["13:00", "24:00"]], "sun": [["00:00", "06:00"]]},
    "absences": [{"from": "2026-12-24T00:00:00Z", "until": "2027-01-02T00:00:00Z"}],
}
BRANCH: Data = CHANGE | {
    "branch_id": "br-1",
    "name": "Mitte",
    "timezone": "Europe/Berlin",
    "auto_assign": True,
    "strategy": "round_robin",
    "address": "Hauptstraße 1, Berlin",
    "phone": "+493012345",
    "sender_name": "Salon Mitte",
    "reply_to": "mitte@example.com",
    "quiet_hours": QUIET,
}
CONFIG: Data = CHANGE | {
    "config_id": "nc-1",
    "level": "branch",
    "level_id": "br-1",
    "event_type": "appointment.reminder",
    "channel": "sms",
    "fallback_channels": ["email"],
    "is_enabled": True,
    "retry_schedule_seconds": [60, 300],
    "template_id": "te-1",
    "audience": "customer",
    "days_before": 1,
    "at": "18:00",
}
TEMPLATE: Data = CHANGE | {
    "template_id": "te-1",
    "channel": "whatsapp",
    "locale": "de",
    "subject": "Ihr Termin",
    "body_text": "Hallo {{customer_name}}",
    "body_html": "<p>Hallo {{customer_name}}</p>",
    "provider_template": {"name": "reminder", "language": "de", "parameters": ["customer_name"]},
}
DECISION: Data = {
    "decision_id": "de-1",
    "company_id": "co-7",
    "callback_id": "cb-1",
    "branch_id": "br-1",
    "strategy": "load_based",
    "chosen_by": "load_based",
    "staff_id": "st-1",
    "staff_name": "Anna",
    "previous_staff_id": "st-2",
    "reason": "staff_left",
    "note": "krank",
    "command_id": "01JD",
    "caused_by": "01JD",
    "decided_at": "2026-11-22T09:00:00Z",
    "candidates": [
        {"staff_id": "st-1", "eligible": True, "load": 1, "turn": 7, "last_assigned_at": "2026-11-22T08:00:00Z"},
        {"staff_id": "st-2", "eligible": False, "load": 6, "turn": 0, "excluded_by": "at_capacity"},
    ],
    "candidates_omitted": {"outside_hours": 12},
    "basis": {"booking.callbacks": 41},
    "total": 3,
    "assigned": 2,
    "failed": 1,
}
REQUEST: Data = {
    "notification_id": "no-1",
    "company_id": "co-7",
    "event_type": "appointment.created",
    "entity": {"type": "appointment", "id": "ap-1", "version": 3},
    "audience": "customer",
    "recipient": {"type": "customer", "id": "cu-1"} | {k: CUSTOMER[k] for k in ("name", "email", "phone", "push")},
    "channel": "sms",
    "fallback_channels": ["email"],
    "skipped": [{"channel": "push", "reason": "no_address"}],
    "contents": {
        "email": {
            "subject": "Ihr Termin",
            "body_text": "Hallo",
            "body_html": "<p>Hallo</p>",
            "template": {"template_id": "builtin:appointment.created.email.de", "version": 0},
        }
    },
    "priority": "normal",
    "locale": "de",
    "sender_name": "Salon Mitte",
    "reply_to": "mitte@example.com",
    "not_before": "2026-11-22T08:00:00Z",
    "not_after": "2026-11-22T13:30:00Z",
    "quiet_hours": QUIET | {"timezone": "Europe/Berlin"},
    "retry_schedule_seconds": [60, 300, 900],
    "config": {"config_id": "nc-1", "level": "branch", "version": 2},
    "caused_by": "01JD",
    "cause": {"topic": "booking.appointments", "offset": 12},
    "customer_id": "cu-9",
    "as_of": "2026-11-22T08:59:00Z",
    "timezone": "Europe/Berlin",
}
ATTEMPT: Data = {
    "channel": "sms",
    "attempt": 1,
    "reason": "rejected",
    "error": "21211",
    "at": "2026-11-22T09:00:00Z",
}
ATTEMPT_DUE: Data = {
    "attempt": 2,
    "redrive": 1,
    "due_at": "2026-11-22T09:00:00Z",
    "attempts": [ATTEMPT],
    "attempt_channel": "sms",
    "chosen_in": 4,
    "house_hours": QUIET | {"timezone": "Europe/Berlin"},
}
DEAD_LETTER: Data = {"reason": "rejected", "error": "550 5.1.1", "redrive": 1, "attempts": [ATTEMPT]}
OUTCOME: Data = {
    "notification_id": "no-1",
    "company_id": "co-7",
    "entity": {"type": "callback", "id": "cb-1", "version": 3},
    "recipient_hash": "9f86d081",
    "channel": "email",
    "attempt": 1,
    "provider": "smtp",
    "provider_message_id": "<no-1@example.com>",
    "reason": "mailbox_full",
    "error": "452 4.2.2",
    "next_attempt_at": "2026-11-22T09:01:00Z",
    "at": "2026-11-22T09:00:00Z",
    "caused_by": "01JD",
    "event_type": "callback.assigned",
    "audience": "staff",
    "config": {"config_id": "nc-1", "level": "company", "version": 2},
}
RECEIPT: Data = {
    "company_id": "co-7",
    "notification_id": "no-1",
    "channel": "sms",
    "attempt": 1,
    "provider": "twilio",
    "provider_message_id": "SM1",
    "status": "failed",
    "error": "30003",
    "at": "2026-11-22T09:00:00Z",
}
CHOICE: Data = {
    "company_id": "co-7",
    "channel": "sms",
    "recipient_hash": 8 * "9f86d081",
    "source": "keyword",
    "account": "AC1",
    "event_type": "appointment.reminder",
    "at": "2026-11-22T09:00:00Z",
}
INTAKE_REFUSED: Data = {
    "topic": "booking.callbacks",
    "partition": 3,
    "offset": 41,
    "timestamp": "2026-11-22T09:00:00Z",
    "key_base64": "Y28tNw==",
    "value_base64": "e30=",
    "headers": [["content-type", "YXBw"], ["empty", None]],
    "reason": "not_a_cloudevent",
    "detail": "no specversion",
    "role": "assign",
}
PREFERENCES: Data = CHANGE | {
    "customer_id": "cu-1",
    "channels": ["push", "email"],
    "unsubscribed": [{"channel": "sms"}, {"channel": "email", "event_type": "appointment.reminder"}],
    "quiet_hours": QUIET,
    "timezone": "Europe/Berlin",
    "locale": "en",
}
COMPANY: Data = CHANGE | {
    "name": "Friseur GmbH",
    "locale": "de",
    "timezone": "Europe/Berlin",
    "sender_name": "Friseur",
    "reply_to": "info@example.com",
    "quiet_hours": QUIET,
}
SERVICE: Data = CHANGE | {"service_id": "sv-1", "name": "Schnitt", "duration_minutes": 45, "confidential": True}
COMMAND: Data = {"company_id": "co-7", "strategy": "round_robin", "requested_by": "us-1"}
DUE: Data = {"company_id": "co-7", "due_at": "2026-11-22T09:00:00Z"}

EXAMPLES: dict[str, Data] = {
    **{name: APPOINTMENT for name in EVENT_TYPES if name.startswith("appointment.")},
    **dict.fromkeys(("callback.requested", "callback.updated", "callback.unassigned"), CALLBACK),
    "callback.assigned": CALLBACK | {"status": "assigned"},
    **{
        f"callback.{status}": CALLBACK | {"status": status}
        for status in ("contacted", "completed", "cancelled", "expired")
    },
    "company.upserted": COMPANY,
    "company.deleted": DELETED,
    "branch.upserted": BRANCH,
    "branch.deleted": DELETED | {"branch_id": "br-1"},
    "service.upserted": SERVICE,
    "service.deleted": DELETED | {"service_id": "sv-1"},
    "staff.upserted": STAFF,
    "staff.deleted": DELETED | {"staff_id": "st-1"},
    "customer_preferences.upserted": PREFERENCES,
    "customer_preferences.deleted": DELETED | {"customer_id": "cu-1"},
    "customer.erased": DELETED | {"customer_id": "cu-1"},
    "notification_config.upserted": CONFIG,
    "notification_config.deleted": DELETED | {"config_id": "nc-1"},
    "template.upserted": TEMPLATE,
    "template.deleted": DELETED | {"template_id": "te-1"},
    "callback.auto_assign": COMMAND | {"callback_id": "cb-1"},
    "callback.bulk_auto_assign": COMMAND | {"callback_ids": ["cb-1", "cb-2"], "branch_id": "br-1"},
    "callback.reassign": COMMAND | {"callback_id": "cb-1", "reason": "krank"},
    "callback.expire": DUE | {"callback_id": "cb-1"},
    "branch.reconsider": DUE | {"branch_id": "br-1"},
    "reminder.due": DUE | {"appointment_id": "ap-1", "config_id": "nc-1"},
    **{name: DECISION for name, kind in EVENT_TYPES.items() if kind.topic == "assignment.decisions"},
    "assignment.applied": {"partition": 3, "applied": [["booking.directory", 7], ["booking.callbacks", 42]]},
    "notification.requested": REQUEST,
    "notification.attempt_due": REQUEST | ATTEMPT_DUE,
    **{name: OUTCOME for name, kind in EVENT_TYPES.items() if kind.topic == "delivery.outcomes"},
    "notification.dead_lettered": REQUEST | DEAD_LETTER,
    "provider.receipt": RECEIPT,
    "address.opted_out": CHOICE,
    "address.opted_in": CHOICE,
    "intake.refused": INTAKE_REFUSED,
}
