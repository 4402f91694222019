"""Boxes and colours for terminals, plain lines that are never wrapped for everything else."""

from datetime import UTC, datetime
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text


def console() -> Console:
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=500)


def table(boxes: bool, *columns: str, numbers: frozenset[str] = frozenset()) -> Table:
    """Columns of `numbers` are aligned to the right."""
    made = Table(pad_edge=boxes, header_style="bold" if boxes else "")
    if not boxes:
        made.box = None
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left")
    return made


def utc_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def visible(text: str) -> str:
    """The text with what a terminal would obey, not print, as escapes; line ends and tabs stay."""
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode()
        for each in text.replace("\r\n", "\n")
    )


def line(words: str, style: str = "") -> Text:
    """Words of others among ours: none is obeyed, neither by the terminal nor as markup."""
    return Text(visible(words), style=style)


def to_json(value: Any) -> str:
    """For programs, times in UTC."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode()
