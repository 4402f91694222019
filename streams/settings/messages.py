"""What is said about settings that are wrong, missing or unknown: one line each.

The value is quoted, unless the setting may hold a password.
"""

import difflib
import os
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import ValidationError
from pydantic_settings import BaseSettings

FILE = Path(".env")
PREFIX = "STAFFETTA_"
INTERNAL = "STAFFETTA_INTERNAL_"
"""Variables that the supervisor sets for its children; no settings."""
_WORDS = {
    "Value error, ": "",
    "Input should be a valid integer, unable to parse string as an integer": "must be a whole number",
    "Input should be a valid number, unable to parse string as a number": "must be a number",
    "Input should be a valid boolean, unable to interpret input": "must be true or false",
    "Input should be": "must be",
    "Input should": "must",
}
"""Pydantic's, and what stands for them; the first ones come first."""


def explain(error: ValidationError, settings: type[BaseSettings]) -> str:
    """A line for each variable that is wrong."""
    return "\n".join(
        _wrong(str(problem["loc"][0]), problem["msg"], problem["input"], settings)
        for problem in error.errors(include_url=False)
    )


def _wrong(field: str, message: str, value: object, settings: type[BaseSettings]) -> str:
    for before, after in _WORDS.items():
        message = message.replace(before, after)
    quoted = " ".join(str(value).split())[:100]
    shown = f"={quoted}" if settings.model_fields[field].repr else ""
    return f"{variable(field)}{shown}: {message}. {_example(field, settings)}"


def unparsable() -> str | None:
    """About the first line of `.env` that sets nothing, though it is meant to. It may hold a password."""
    if not FILE.is_file():
        return None
    with FILE.open(encoding="utf-8") as lines:
        for each in parse_stream(lines):
            if each.error:
                text = each.original.string
                blank = text[: len(text) - len(text.lstrip())].count("\n")
                line = each.original.line + blank
                return f"{FILE}, line {line}, cannot be read. Example: {PREFIX}PARTITIONS=12"
    return None


def required(field: str, why: str, settings: type[BaseSettings]) -> str:
    return f"{variable(field)} is not set, but needed {why}. {_example(field, settings)}"


def unknown(settings: type[BaseSettings]) -> list[str]:
    """A line for each variable, in the environment or `.env`, that looks like a setting and is none."""
    known = {variable(field) for field in settings.model_fields}
    names = {name.upper() for name in (*os.environ, *dotenv_values(FILE))}
    return [
        f"warning: {name} is not a setting and has no effect{_meant(name, known)}"
        for name in sorted(names - known)
        if name.startswith(PREFIX) and not name.startswith(INTERNAL)
    ]


def variable(field: str) -> str:
    return PREFIX + field.upper()


def _meant(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"; did you mean {close[0]}?" if close else ""


def _example(field: str, settings: type[BaseSettings]) -> str:
    examples = settings.model_fields[field].examples or [""]
    return f"Example: {variable(field)}={examples[0]}"
