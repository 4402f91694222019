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
    present = {index["name"] for index in sa.inspect(connection).get_indexes(name)}
    for index, on in indices.items():
        if index not in present:
            op.create_index(index, name, list(on))
