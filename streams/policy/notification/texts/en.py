"""English texts: British spelling, the day before the month, no assumption about the trade."""

from streams.policy.notification.texts.wording import Language, Link, Occasion, Row, Text

WHEN = "on {{ appointment_date }} at {{ appointment_time }}"
ABOUT = "{% if customer_name %}: {{ customer_name }}{% endif %}"
CONTACT = "{% if branch_phone %} on {{ branch_phone }}{% endif %}"
WITH = "{% if staff_name %} with {{ staff_name }}{% endif %}"
BACK = "{% if callback_phone %} on {{ callback_phone }}{% endif %}"
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
        subject=f"Your appointment {WHEN}",
        heading="Your appointment is booked",
        brief=f"Your appointment {WHEN}{WITH} is booked.",
        opening="Thank you for your booking. We have reserved this appointment for you:",
        rows=VISIT,
        links=BOOKING,
        closing="We look forward to seeing you.",
    ),
    "appointment.updated": Text(
        tone="changed",
        subject=f"A change to your appointment {WHEN}",
        heading="Your appointment has changed",
        brief=f"Something about your appointment {WHEN}{WITH} has changed.",
        opening="Something about your appointment has changed. This is how it stands now:",
        rows=MOVED_VISIT,
        links=BOOKING,
        closing=f"If any of this does not suit you, please contact us{CONTACT}.",
    ),
    "appointment.rescheduled": Text(
        tone="changed",
        subject=f"Your appointment has been moved: now {WHEN}",
        heading="Your appointment has been moved",
        brief=f"Your appointment has been moved. It is now {WHEN}{WITH}.",
        opening="Your appointment will take place at a new time:",
        rows=MOVED_VISIT,
        links=BOOKING,
        closing=f"If the new time does not suit you, please contact us{CONTACT}.",
    ),
    "appointment.cancelled": Text(
        tone="ended",
        subject=f"Cancelled: your appointment {WHEN}",
        heading="Your appointment has been cancelled",
        brief=f"Your appointment {WHEN} has been cancelled.",
        opening="This appointment has been cancelled and will not take place:",
        rows=VISIT,
        closing=f"If you would like a new appointment, please contact us{CONTACT}.",
    ),
    "appointment.deleted": Text(
        tone="ended",
        subject=f"Your appointment {WHEN} will not take place",
        heading="Your appointment will not take place",
        brief=f"Your appointment {WHEN} will not take place.",
        opening="This appointment is no longer in our calendar and will not take place:",
        rows=VISIT,
        closing=f"If you have questions or would like a new appointment, please contact us{CONTACT}.",
    ),
    "appointment.reminder": Text(
        tone="good",
        subject=f"Reminder: your appointment {WHEN}",
        heading="Your appointment is coming up",
        brief=f"A reminder of your appointment {WHEN}{WITH}.",
        opening="We would like to remind you of your appointment:",
        rows=VISIT,
        links=BOOKING,
        closing=f"If you cannot make it, please let us know in good time{CONTACT}.",
    ),
    "callback.received": Text(
        tone="call",
        subject="We have received your request for a call",
        heading="We will call you back",
        brief=f"We have received your request for a call and will call you as soon as possible{BACK}.",
        opening="Thank you for your message. We have received your request and will call you as soon as possible"
        "{% if callback_phone %} on {{ callback_phone }}{% endif %}.",
        rows=("service", "place", "phone"),
    ),
}

TO_STAFF = {
    "appointment.created": Text(
        tone="good",
        subject=f"New appointment {WHEN}",
        heading="A new appointment for you",
        brief=f"A new appointment for you {WHEN}{CASE}.",
        opening="A new appointment has been entered for you:",
        rows=JOB,
    ),
    "appointment.updated": Text(
        tone="changed",
        subject=f"Appointment changed: {WHEN}",
        heading="One of your appointments has changed",
        brief=f"Something about your appointment {WHEN}{CASE} has changed.",
        opening="Something about one of your appointments has changed. This is how it stands now:",
        rows=MOVED_JOB,
    ),
    "appointment.rescheduled": Text(
        tone="changed",
        subject=f"Appointment moved: now {WHEN}",
        heading="One of your appointments has been moved",
        brief=f"Your appointment has been moved. It is now {WHEN}{CASE}.",
        opening="One of your appointments will take place at a new time:",
        rows=MOVED_JOB,
    ),
    "appointment.cancelled": Text(
        tone="ended",
        subject=f"Appointment cancelled: {WHEN}",
        heading="One of your appointments has been cancelled",
        brief=f"Your appointment {WHEN}{CASE} has been cancelled.",
        opening="This appointment has been cancelled and will not take place:",
        rows=JOB,
    ),
    "appointment.deleted": Text(
        tone="ended",
        subject=f"Appointment removed: {WHEN}",
        heading="One of your appointments has been removed",
        brief=f"Your appointment {WHEN}{CASE} will not take place.",
        opening="This appointment has been removed from the calendar and will not take place:",
        rows=JOB,
    ),
    "appointment.reminder": Text(
        tone="good",
        subject=f"Reminder: appointment {WHEN}",
        heading="An appointment is coming up",
        brief=f"A reminder of your appointment {WHEN}{CASE}.",
        opening="We would like to remind you of this appointment:",
        rows=JOB,
    ),
    "callback.assigned": Text(
        tone="call",
        subject=f"New call for you{ABOUT}{{% if is_urgent %}} (urgent){{% endif %}}",
        heading="A call for you to make",
        brief=f"A new call for you{CALLER}. Please ring "
        "{% if is_urgent %}at once{% else %}as soon as possible{% endif %}.",
        opening="You are now responsible for this call. Please ring "
        "{% if is_urgent %}at once{% else %}as soon as possible{% endif %}:",
        rows=CALL,
    ),
    "callback.withdrawn": Text(
        tone="ended",
        subject=f"Call no longer yours{ABOUT}",
        heading="One call less for you",
        brief=f"A call that is no longer yours{ABOUT}. There is nothing left for you to do.",
        opening="You are no longer responsible for this call. There is nothing left for you to do.",
        rows=CALL,
    ),
}

ENGLISH = Language(
    locale="en",
    greetings={
        "customer": "Hello{% if customer_name %} {{ customer_name }}{% endif %},",
        "staff": "Hello{% if staff_name %} {{ staff_name }}{% endif %},",
    },
    neutral_service="appointment",
    priorities={"normal": "normal", "high": "high", "urgent": "urgent"},
    rows={
        "customer": Row("customer_name", "Name", "{{ customer_name }}"),
        "customer_phone": Row("callback_phone", "Phone", "{{ callback_phone }}"),
        "priority": Row("callback_priority", "Priority", "{{ callback_priority }}"),
        "service": Row("service_name", "Service", "{{ service_name }}"),
        "date": Row("appointment_date", "Date", "{{ appointment_date }}"),
        "time": Row("appointment_time", "Time", "{{ appointment_time }}"),
        "previous": Row("previous_appointment_time", "Previously", "{{ previous_appointment_time }}"),
        "duration": Row("appointment_duration", "Duration", "{{ appointment_duration }}"),
        "staff": Row("staff_name", "With", "{{ staff_name }}"),
        "place": Row(
            "branch_name", "Place", "{{ branch_name }}{% if branch_address %}, {{ branch_address }}{% endif %}"
        ),
        "phone": Row("branch_phone", "Phone", "{{ branch_phone }}"),
    },
    links={
        "manage": Link("manage_url", "View appointment"),
        "reschedule": Link("reschedule_url", "Reschedule"),
        "cancel": Link("cancel_url", "Cancel appointment"),
    },
    sign_off={
        "customer": "Kind regards{% if company_name %}\nThe team at {{ company_name }}{% endif %}",
        "staff": "Kind regards{% if company_name %}\n{{ company_name }}{% endif %}",
    },
    notice="This message was sent automatically.",
    texts={Occasion(event_type, "customer"): text for event_type, text in TO_CUSTOMERS.items()}
    | {Occasion(event_type, "staff"): text for event_type, text in TO_STAFF.items()},
)
