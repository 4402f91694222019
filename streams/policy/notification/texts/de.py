"""German texts. We say "Sie", name no occupation and no gender, and take nothing for granted about the trade."""

from streams.policy.notification.texts.wording import Language, Link, Occasion, Row, Text

WHEN = "am {{ appointment_date }} um {{ appointment_time }} Uhr"
ABOUT = "{% if customer_name %}: {{ customer_name }}{% endif %}"
CONTACT = "{% if branch_phone %} unter {{ branch_phone }}{% endif %}"
WITH = "{% if staff_name %} bei {{ staff_name }}{% endif %}"
BACK = "{% if callback_phone %} unter {{ callback_phone }}{% endif %}"
CASE = (
    "{% if customer_name or service_name %} "
    "({{ customer_name }}{% if customer_name and service_name %}, {% endif %}{{ service_name }}){% endif %}"
)
CALLER = (
    "{% if customer_name or callback_phone %}: "
    "{{ customer_name }}{% if customer_name and callback_phone %}, {% endif %}{{ callback_phone }}{% endif %}"
)
VISIT = ("service", "date", "time", "duration", "staff", "place", "phone")
MOVED_VISIT = ("service", "date", "time", "previous", "duration", "staff", "place", "phone")
BOOKING = ("manage", "reschedule", "cancel")
JOB = ("customer", "customer_phone", "service", "date", "time", "duration", "place")
MOVED_JOB = ("customer", "customer_phone", "service", "date", "time", "previous", "duration", "place")
CALL = ("customer", "customer_phone", "priority", "service", "place")

TO_CUSTOMERS = {
    "appointment.created": Text(
        tone="good",
        subject=f"Ihr Termin {WHEN}",
        heading="Ihr Termin ist gebucht",
        brief=f"Ihr Termin {WHEN}{WITH} ist gebucht.",
        opening="vielen Dank für Ihre Buchung. Wir haben diesen Termin für Sie eingetragen:",
        rows=VISIT,
        links=BOOKING,
        closing="Wir freuen uns auf Sie.",
    ),
    "appointment.updated": Text(
        tone="changed",
        subject=f"Änderung an Ihrem Termin {WHEN}",
        heading="Ihr Termin wurde geändert",
        brief=f"An Ihrem Termin {WHEN}{WITH} hat sich etwas geändert.",
        opening="an Ihrem Termin hat sich etwas geändert. Das ist der aktuelle Stand:",
        rows=MOVED_VISIT,
        links=BOOKING,
        closing=f"Passt Ihnen etwas davon nicht, melden Sie sich bitte bei uns{CONTACT}.",
    ),
    "appointment.rescheduled": Text(
        tone="changed",
        subject=f"Ihr Termin wurde verschoben: jetzt {WHEN}",
        heading="Ihr Termin wurde verschoben",
        brief=f"Ihr Termin wurde verschoben. Er ist jetzt {WHEN}{WITH}.",
        opening="Ihr Termin findet zu einer neuen Zeit statt:",
        rows=MOVED_VISIT,
        links=BOOKING,
        closing=f"Passt Ihnen die neue Zeit nicht, melden Sie sich bitte bei uns{CONTACT}.",
    ),
    "appointment.cancelled": Text(
        tone="ended",
        subject=f"Abgesagt: Ihr Termin {WHEN}",
        heading="Ihr Termin wurde abgesagt",
        brief=f"Ihr Termin {WHEN} wurde abgesagt.",
        opening="dieser Termin wurde abgesagt und findet nicht statt:",
        rows=VISIT,
        closing=f"Möchten Sie einen neuen Termin, melden Sie sich gern bei uns{CONTACT}.",
    ),
    "appointment.deleted": Text(
        tone="ended",
        subject=f"Ihr Termin {WHEN} entfällt",
        heading="Ihr Termin entfällt",
        brief=f"Ihr Termin {WHEN} entfällt.",
        opening="dieser Termin steht nicht mehr in unserem Kalender und findet nicht statt:",
        rows=VISIT,
        closing=f"Haben Sie Fragen dazu oder möchten einen neuen Termin, melden Sie sich gern bei uns{CONTACT}.",
    ),
    "appointment.reminder": Text(
        tone="good",
        subject=f"Erinnerung: Ihr Termin {WHEN}",
        heading="Ihr Termin rückt näher",
        brief=f"Wir erinnern Sie an Ihren Termin {WHEN}{WITH}.",
        opening="wir möchten Sie an Ihren Termin erinnern:",
        rows=VISIT,
        links=BOOKING,
        closing=f"Sind Sie verhindert, geben Sie uns bitte rechtzeitig Bescheid{CONTACT}.",
    ),
    "callback.received": Text(
        tone="call",
        subject="Ihre Bitte um Rückruf ist angekommen",
        heading="Wir rufen Sie zurück",
        brief=f"Ihre Bitte um Rückruf ist angekommen. Wir melden uns so bald wie möglich{BACK} bei Ihnen.",
        opening="vielen Dank für Ihre Nachricht. Wir haben Ihre Bitte um Rückruf erhalten und melden uns so bald "
        "wie möglich{% if callback_phone %} unter {{ callback_phone }}{% endif %} bei Ihnen.",
        rows=("service", "place", "phone"),
    ),
}

TO_STAFF = {
    "appointment.created": Text(
        tone="good",
        subject=f"Neuer Termin {WHEN}",
        heading="Ein neuer Termin für Sie",
        brief=f"Neuer Termin für Sie {WHEN}{CASE}.",
        opening="für Sie wurde ein neuer Termin eingetragen:",
        rows=JOB,
    ),
    "appointment.updated": Text(
        tone="changed",
        subject=f"Termin geändert: {WHEN}",
        heading="Einer Ihrer Termine wurde geändert",
        brief=f"An Ihrem Termin {WHEN}{CASE} hat sich etwas geändert.",
        opening="an einem Ihrer Termine hat sich etwas geändert. Das ist der aktuelle Stand:",
        rows=MOVED_JOB,
    ),
    "appointment.rescheduled": Text(
        tone="changed",
        subject=f"Termin verschoben: jetzt {WHEN}",
        heading="Einer Ihrer Termine wurde verschoben",
        brief=f"Ihr Termin wurde verschoben. Er ist jetzt {WHEN}{CASE}.",
        opening="einer Ihrer Termine findet zu einer neuen Zeit statt:",
        rows=MOVED_JOB,
    ),
    "appointment.cancelled": Text(
        tone="ended",
        subject=f"Termin abgesagt: {WHEN}",
        heading="Einer Ihrer Termine wurde abgesagt",
        brief=f"Ihr Termin {WHEN}{CASE} wurde abgesagt.",
        opening="dieser Termin wurde abgesagt und findet nicht statt:",
        rows=JOB,
    ),
    "appointment.deleted": Text(
        tone="ended",
        subject=f"Termin entfällt: {WHEN}",
        heading="Einer Ihrer Termine entfällt",
        brief=f"Ihr Termin {WHEN}{CASE} entfällt.",
        opening="dieser Termin wurde aus dem Kalender entfernt und findet nicht statt:",
        rows=JOB,
    ),
    "appointment.reminder": Text(
        tone="good",
        subject=f"Erinnerung: Termin {WHEN}",
        heading="Ein Termin rückt näher",
        brief=f"Wir erinnern Sie an Ihren Termin {WHEN}{CASE}.",
        opening="wir möchten Sie an diesen Termin erinnern:",
        rows=JOB,
    ),
    "callback.assigned": Text(
        tone="call",
        subject=f"Neuer Rückruf für Sie{ABOUT}{{% if is_urgent %}} (dringend){{% endif %}}",
        heading="Ein Rückruf für Sie",
        brief=f"Neuer Rückruf für Sie{CALLER}. Bitte rufen Sie "
        "{% if is_urgent %}umgehend{% else %}so bald wie möglich{% endif %} an.",
        opening="Sie sind jetzt für diesen Rückruf zuständig. Bitte rufen Sie "
        "{% if is_urgent %}umgehend{% else %}so bald wie möglich{% endif %} an:",
        rows=CALL,
    ),
    "callback.withdrawn": Text(
        tone="ended",
        subject=f"Rückruf nicht mehr bei Ihnen{ABOUT}",
        heading="Ein Rückruf weniger für Sie",
        brief=f"Rückruf nicht mehr bei Ihnen{ABOUT}. Sie brauchen nichts weiter zu tun.",
        opening="für diesen Rückruf sind Sie nicht mehr zuständig. Sie brauchen nichts weiter zu tun.",
        rows=CALL,
    ),
}

GERMAN = Language(
    locale="de",
    greetings={
        "customer": "Guten Tag{% if customer_name %} {{ customer_name }}{% endif %},",
        "staff": "Guten Tag{% if staff_name %} {{ staff_name }}{% endif %},",
    },
    neutral_service="Termin",
    priorities={"normal": "normal", "high": "hoch", "urgent": "dringend"},
    rows={
        "customer": Row("customer_name", "Name", "{{ customer_name }}"),
        "customer_phone": Row("callback_phone", "Telefon", "{{ callback_phone }}"),
        "priority": Row("callback_priority", "Priorität", "{{ callback_priority }}"),
        "service": Row("service_name", "Leistung", "{{ service_name }}"),
        "date": Row("appointment_date", "Datum", "{{ appointment_date }}"),
        "time": Row("appointment_time", "Uhrzeit", "{{ appointment_time }} Uhr"),
        "previous": Row("previous_appointment_time", "Bisher", "{{ previous_appointment_time }} Uhr"),
        "duration": Row("appointment_duration", "Dauer", "{{ appointment_duration }}"),
        "staff": Row("staff_name", "Bei", "{{ staff_name }}"),
        "place": Row(
            "branch_name", "Ort", "{{ branch_name }}{% if branch_address %}, {{ branch_address }}{% endif %}"
        ),
        "phone": Row("branch_phone", "Telefon", "{{ branch_phone }}"),
    },
    links={
        "manage": Link("manage_url", "Termin ansehen"),
        "reschedule": Link("reschedule_url", "Termin verschieben"),
        "cancel": Link("cancel_url", "Termin absagen"),
    },
    sign_off={
        "customer": "Freundliche Grüße{% if company_name %}\nIhr Team von {{ company_name }}{% endif %}",
        "staff": "Freundliche Grüße{% if company_name %}\n{{ company_name }}{% endif %}",
    },
    notice="Diese Nachricht wurde automatisch verschickt.",
    texts={Occasion(event_type, "customer"): text for event_type, text in TO_CUSTOMERS.items()}
    | {Occasion(event_type, "staff"): text for event_type, text in TO_STAFF.items()},
)
