"""The tables of the record.

Ids are unique only within a company, so every key has both; the id comes first because people ask by it. There
are no foreign keys: what a row refers to may arrive later, on another topic. Of customers only the id is kept;
names, addresses and texts are in `dead_letters` alone, which needs them to send again, and in
`intake_dead_letters`, whose bytes nobody could read.
"""

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Table

from sinks.database.columns import Json, Moment, Name, Raw, Whole, Words

metadata = MetaData()

MARIADB: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
}


def _key(name: str, length: int = 64) -> Column[Any]:
    return Column(name, Name(length), primary_key=True)


positions = Table(
    "positions",
    metadata,
    _key("cluster"),
    _key("topic", 255),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next", Whole, nullable=False),
    Column("epoch", Whole, nullable=False),
    **MARIADB,
)
"""Up to where each partition of a Kafka cluster has been recorded. `epoch` grows with each owner, so that an
earlier one is refused."""

entities = Table(
    "entities",
    metadata,
    _key("company_id"),
    _key("type"),
    _key("entity_id"),
    Column("version", Whole, nullable=False),
    Column("is_deleted", Boolean, nullable=False),
    Column("data", Json),
    Column("changed_at", Moment, nullable=False),
    **MARIADB,
)
"""The directory: the newest snapshot of every entity, whole. A company is its own entity. A `customer` is one who
is to be forgotten: nothing but the id, and since when."""

callbacks = Table(
    "callbacks",
    metadata,
    _key("callback_id"),
    _key("company_id"),
    # What the booking system says; null while only a decision is known.
    Column("version", Whole),
    Column("branch_id", Name()),
    Column("service_id", Name()),
    Column("customer_id", Name()),
    Column("staff_id", Name()),
    Column("assigned_to", Name()),
    Column("priority", Name()),
    Column("status", Name()),
    Column("requested_at", Moment),
    Column("expires_at", Moment),
    # What was decided last.
    Column("last_decision_id", Name()),
    Column("last_decision", Name()),
    Column("last_reason", Name()),
    Column("last_staff_id", Name()),
    Column("last_decided_at", Moment),
    Column("last_offset", Whole),
    Index("callbacks_waiting", "last_decision", "status", "company_id", "requested_at"),
    Index("callbacks_of_customer", "customer_id", "company_id"),
    **MARIADB,
)
"""Each callback as it stands. Preferred person: `staff_id`; assigned according to the booking system:
`assigned_to`; assigned by us: `last_staff_id`."""

callback_events = Table(
    "callback_events",
    metadata,
    _key("callback_id"),
    _key("company_id"),
    Column("version", Whole, primary_key=True, autoincrement=False),
    Column("type", Name(), nullable=False),
    Column("status", Name(), nullable=False),
    Column("assigned_to", Name()),
    Column("decision_id", Name()),
    Column("happened_at", Moment, nullable=False),
    **MARIADB,
)
"""What the booking system said about a callback, version by version."""

decisions = Table(
    "decisions",
    metadata,
    _key("decision_id"),
    _key("company_id"),
    Column("type", Name(), nullable=False),
    Column("callback_id", Name()),
    Column("branch_id", Name()),
    Column("strategy", Name()),
    Column("chosen_by", Name()),
    Column("staff_id", Name()),
    Column("staff_name", Words),
    Column("previous_staff_id", Name()),
    Column("reason", Name()),
    Column("note", Words),
    Column("command_id", Name(255)),
    Column("caused_by", Name(255), nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("candidates", Json, nullable=False),
    Column("candidates_omitted", Json, nullable=False),
    Column("basis", Json, nullable=False),
    Column("total", Whole),
    Column("assigned", Whole),
    Column("failed", Whole),
    Column("partition", Integer, nullable=False),
    Column("offset", Whole, nullable=False),
    Index("decisions_of_callback", "callback_id", "company_id", "offset"),
    **MARIADB,
)
"""Every decision with what it rested on. `partition` and `offset` are its place in `assignment.decisions`. As in
all these tables, offsets count on from one Kafka cluster to the next, by 2**40."""

notifications = Table(
    "notifications",
    metadata,
    _key("notification_id"),
    _key("company_id"),
    Column("entity_type", Name(), nullable=False),
    Column("entity_id", Name(), nullable=False),
    Column("entity_version", Whole, nullable=False),
    Column("caused_by", Name(255), nullable=False),
    Column("event_type", Name()),
    Column("audience", Name()),
    Column("config_id", Name()),
    Column("config_level", Name()),
    Column("config_version", Whole),
    # From the request; null for what was suppressed at routing.
    Column("recipient_id", Name()),
    Column("customer_id", Name()),
    Column("priority", Name()),
    Column("locale", Name()),
    Column("channels", Json),
    Column("skipped", Json),
    Column("templates", Json),
    Column("requested_at", Moment),
    Column("request_offset", Whole),
    # From the outcome that came last.
    Column("status", Name(), nullable=False, server_default="requested"),
    Column("channel", Name()),
    Column("attempt", Whole),
    Column("reason", Name()),
    Column("recipient_hash", Name()),
    Column("next_attempt_at", Moment),
    Column("status_at", Moment),
    Column("outcome_offset", Whole),
    Index("notifications_of_recipient", "recipient_id", "company_id", "requested_at"),
    Index("notifications_of_customer", "customer_id", "company_id", "requested_at"),
    Index("notifications_of_entity", "entity_id", "company_id", "entity_type"),
    Index("notifications_by_status", "status", "status_at", "company_id", "reason"),
    **MARIADB,
)
"""Every notification as it stands. `status` is `requested`, or the last outcome's type without `notification.`.
`customer_id` is whom it is about: the recipient themselves, or the customer whom a colleague is told of."""

outcomes = Table(
    "outcomes",
    metadata,
    _key("notification_id"),
    _key("company_id"),
    _key("event_id", 255),
    Column("type", Name(), nullable=False),
    Column("channel", Name()),
    Column("attempt", Whole, nullable=False),
    Column("provider", Name()),
    Column("provider_message_id", Name(255)),
    Column("reason", Name()),
    Column("error", Words),
    Column("next_attempt_at", Moment),
    Column("happened_at", Moment, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", Whole, nullable=False),
    **MARIADB,
)
"""Each attempt's outcome, each suppression, each receipt."""

dead_letters = Table(
    "dead_letters",
    metadata,
    _key("notification_id"),
    _key("company_id"),
    Column("event_type", Name(), nullable=False),
    Column("channel", Name(), nullable=False),
    Column("recipient_id", Name(), nullable=False),
    Column("reason", Name(), nullable=False),
    Column("error", Words),
    Column("redrive", Whole, nullable=False),
    Column("data", Json, nullable=False),
    Column("given_up_at", Moment, nullable=False),
    Column("offset", Whole, nullable=False),
    # What an operator did about it, not from any message.
    Column("redriven", Whole),
    Column("redriven_at", Moment),
    Index("dead_letters_by_time", "given_up_at", "company_id"),
    **MARIADB,
)
"""Notifications given up, the last time that it happened, with all they need to be sent again. `redriven` is the
greatest `redrive` with which one was sent again."""

intake_dead_letters = Table(
    "intake_dead_letters",
    metadata,
    _key("id", 255),
    Column("topic", Name(255), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", Whole, nullable=False),
    Column("timestamp", Moment, nullable=False),
    Column("key", Raw),
    Column("value", Raw),
    Column("headers", Json, nullable=False),
    Column("reason", Name(), nullable=False),
    Column("detail", Words, nullable=False),
    Column("role", Name(), nullable=False),
    Column("refused_at", Moment, nullable=False),
    Column("redriven_at", Moment),
    Index("intake_dead_letters_by_time", "refused_at"),
    **MARIADB,
)
"""Records that could not be read or applied, byte by byte. `id` is where the record lies: topic/partition/offset;
`headers` are pairs of a name and the value in base64. `redriven_at`: when an operator sent it again."""
