"""The first tables: positions, directory, callbacks, decisions, notifications."""

import sqlalchemy as sa

from sinks.database.columns import Json, Moment, Name, Whole, Words
from sinks.database.migrations.steps import create_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    _positions()
    _entities()
    _callbacks()
    _callback_events()
    _decisions()
    _notifications()
    _outcomes()
    _dead_letters()


def _positions() -> None:
    create_table(
        "positions",
        sa.Column("cluster", Name(), primary_key=True),
        sa.Column("topic", Name(255), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("next", Whole(), nullable=False),
        sa.Column("epoch", Whole(), nullable=False),
    )


def _entities() -> None:
    create_table(
        "entities",
        sa.Column("company_id", Name(), primary_key=True),
        sa.Column("type", Name(), primary_key=True),
        sa.Column("entity_id", Name(), primary_key=True),
        sa.Column("version", Whole(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("data", Json()),
        sa.Column("changed_at", Moment(), nullable=False),
    )


def _callbacks() -> None:
    create_table(
        "callbacks",
        sa.Column("callback_id", Name(), primary_key=True),
        sa.Column("company_id", Name(), primary_key=True),
        sa.Column("version", Whole()),
        sa.Column("branch_id", Name()),
        sa.Column("service_id", Name()),
        sa.Column("customer_id", Name()),
        sa.Column("staff_id", Name()),
        sa.Column("assigned_to", Name()),
        sa.Column("priority", Name()),
        sa.Column("status", Name()),
        sa.Column("requested_at", Moment()),
        sa.Column("expires_at", Moment()),
        sa.Column("last_decision_id", Name()),
        sa.Column("last_decision", Name()),
        sa.Column("last_reason", Name()),
        sa.Column("last_staff_id", Name()),
        sa.Column("last_decided_at", Moment()),
        sa.Column("last_offset", Whole()),
        callbacks_waiting=("last_decision", "status", "company_id", "requested_at"),
    )


def _callback_events() -> None:
    create_table(
        "callback_events",
        sa.Column("callback_id", Name(), primary_key=True),
        sa.Column("company_id", Name(), primary_key=True),
        sa.Column("version", Whole(), primary_key=True, autoincrement=False),
        sa.Column("type", Name(), nullable=False),
        sa.Column("status", Name(), nullable=False),
        sa.Column("assigned_to", Name()),
        sa.Column("decision_id", Name()),
        sa.Column("happened_at", Moment(), nullable=False),
    )


def _decisions() -> None:
    create_table(
        "decisions",
        sa.Column("decision_id", Name(), primary_key=True),
        sa.Column("company_id", Name(), primary_key=True),
        sa.Column("type", Name(), nullable=False),
        sa.Column("callback_id", Name()),
        sa.Column("branch_id", Name()),
        sa.Column("strategy", Name()),
        sa.Column("chosen_by", Name()),
        sa.Column("staff_id", Name()),
        sa.Column("staff_name", Words()),
        sa.Column("previous_staff_id", Name()),
        sa.Column("reason", Name()),
        sa.Column("note", Words()),
        sa.Column("command_id", Name(255)),
        sa.Column("caused_by", Name(255), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.Column("candidates", Json(), nullable=False),
        sa.Column("candidates_omitted", Json(), nullable=False),
        sa.Column("basis", Json(), nullable=False),
        sa.Column("total", Whole()),
        sa.Column("assigned", Whole()),
        sa.Column("failed", Whole()),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", Whole(), nullable=False),
        decisions_of_callback=("callback_id", "company_id", "offset"),
    )


def _notifications() -> None:
    create_table(
        "notifications",
        sa.Column("notification_id", Name(), primary_key=True),
        sa.Column("company_id", Name(), primary_key=True),
        sa.Column("entity_type", Name(), nullable=False),
        sa.Column("entity_id", Name(), nullable=False),
        sa.Column("entity_version", Whole(), nullable=False),
        sa.Column("caused_by", Name(255), nullable=False),
        sa.Column("event_type", Name()),
        sa.Column("audience", Name()),
        sa.Column("config_id", Name()),
        sa.Column("config_level", Name()),
        sa.Column("config_version", Whole()),
        sa.Column("recipient_id", Name()),
        sa.Column("priority", Name()),
        sa.Column("locale", Name()),
        sa.Column("channels", Json()),
        sa.Column("skipped", Json()),
        sa.Column("templates", Json()),
        sa.Column("requested_at", Moment()),
        sa.Column("request_offset", Whole()),
        sa.Column("status", Name(), nullable=False, server_default="requested"),
        sa.Column("channel", Name()),
        sa.Column("attempt", Whole()),
        sa.Column("reason", Name()),
        sa.Column("recipient_hash", Name()),
        sa.Column("next_attempt_at", Moment()),
        sa.Column("status_at", Moment()),
        sa.Column("outcome_offset", Whole()),
        notifications_by_status=("status", "status_at", "company_id", "reason"),
        notifications_of_entity=("entity_id", "company_id", "entity_type"),
        notifications_of_recipient=("recipient_id", "company_id", "requested_at"),
    )


def _outcomes() -> None:
    create_table(
        "outcomes",
        sa.Column("notification_id", Name(), primary_key=True),
        sa.Column("company_id", Name(), primary_key=True),
        sa.Column("event_id", Name(255), primary_key=True),
        sa.Column("type", Name(), nullable=False),
        sa.Column("channel", Name()),
        sa.Column("attempt", Whole(), nullable=False),
        sa.Column("provider", Name()),
        sa.Column("provider_message_id", Name(255)),
        sa.Column("reason", Name()),
        sa.Column("error", Words()),
        sa.Column("next_attempt_at", Moment()),
        sa.Column("happened_at", Moment(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", Whole(), nullable=False),
    )


def _dead_letters() -> None:
    create_table(
        "dead_letters",
        sa.Column("notification_id", Name(), primary_key=True),
        sa.Column("company_id", Name(), primary_key=True),
        sa.Column("event_type", Name(), nullable=False),
        sa.Column("channel", Name(), nullable=False),
        sa.Column("recipient_id", Name(), nullable=False),
        sa.Column("reason", Name(), nullable=False),
        sa.Column("error", Words()),
        sa.Column("redrive", Whole(), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("given_up_at", Moment(), nullable=False),
        sa.Column("offset", Whole(), nullable=False),
        dead_letters_by_time=("given_up_at", "company_id"),
    )
