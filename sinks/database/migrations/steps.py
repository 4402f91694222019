"""Steps of a migration that can be taken twice: MariaDB keeps what an upgrade that was broken off has made."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

OPTIONS: Mapping[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
}


def create_table(name: str, *columns: sa.Column[Any], **indices: tuple[str, ...]) -> None:
    """Make the table and its indices (name=columns), where they are missing."""
    connection = op.get_bind()
    if not sa.inspect(connection).has_table(name):
        op.create_table(name, *columns, **OPTIONS)
    for index, on in indices.items():
        add_index(index, name, *on)


def add_index(name: str, table: str, *columns: str) -> None:
    """Make the index, if it is missing."""
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, list(columns))


def add_columns(table: str, *columns: sa.Column[Any]) -> None:
    """Add those columns that the table lacks."""
    present = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
    for column in columns:
        if column.name not in present:
            op.add_column(table, column)
