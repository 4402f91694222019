"""What is wrong with an event, in words for whoever has to mend it."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

from schemas.base import HASH, HTTPS, IDENTIFIER, WALL_TIME

_LONGEST = 1000
_NAMED = 3
"""The first problems are named; whoever mends them meets the others."""

FORMS = {
    IDENTIFIER: "an id has only letters, digits, '.', '_', ':' and '-'",
    WALL_TIME: "a time of day is HH:MM, from 00:00 to 23:59",
    HASH: "a hash has 64 hex digits, in lower case",
    HTTPS: "a link begins with https:// and has no blanks, quotes or angle brackets",
}
"""Pattern -> what it asks for."""


def named(problems: list[ErrorDetails]) -> str:
    """The first few of them in one line, each with its place."""
    return "; ".join(map(_named, problems[:_NAMED]))[:_LONGEST]


def _named(problem: ErrorDetails) -> str:
    return f"{'.'.join(map(str, problem['loc'])) or 'data'}: {_said(problem)}"


def _said(problem: ErrorDetails) -> str:
    known: Mapping[str, Any] = problem.get("ctx", {})
    match problem["type"]:
        case "string_pattern_mismatch" if known["pattern"] in FORMS:
            return FORMS[known["pattern"]]
        case "too_long":
            return f"has {known['actual_length'] or 'more'} entries, at most {known['max_length']} are allowed"
        case "value_error":
            return str(known["error"])
        case _:
            return problem["msg"]
