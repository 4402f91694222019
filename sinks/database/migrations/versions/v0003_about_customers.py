"""Which customer a notification is about, whoever is told."""

import sqlalchemy as sa
from alembic import op

from sinks.database.columns import Name
from sinks.database.migrations.steps import add_columns, add_index

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    add_columns("notifications", sa.Column("customer_id", Name()))
    add_index("notifications_of_customer", "notifications", "customer_id", "company_id", "requested_at")
    at = sa.table("notifications", *map(sa.column, ("customer_id", "recipient_id", "audience")))
    op.execute(sa.update(at).where(at.c.audience == "customer").values(customer_id=at.c.recipient_id))
