"""What an operator sent again, the records that could not be read, and whose a callback is."""

import sqlalchemy as sa

from sinks.database.columns import Json, Moment, Name, Raw, Whole, Words
from sinks.database.migrations.steps import add_columns, add_index, create_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_columns("dead_letters", sa.Column("redriven", Whole()), sa.Column("redriven_at", Moment()))
    add_index("callbacks_of_customer", "callbacks", "customer_id", "company_id")
    create_table(
        "intake_dead_letters",
        sa.Column("id", Name(255), primary_key=True),
        sa.Column("topic", Name(255), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", Whole(), nullable=False),
        sa.Column("timestamp", Moment(), nullable=False),
        sa.Column("key", Raw()),
        sa.Column("value", Raw()),
        sa.Column("headers", Json(), nullable=False),
        sa.Column("reason", Name(), nullable=False),
        sa.Column("detail", Words(), nullable=False),
        sa.Column("role", Name(), nullable=False),
        sa.Column("refused_at", Moment(), nullable=False),
        sa.Column("redriven_at", Moment()),
        intake_dead_letters_by_time=("refused_at",),
    )
