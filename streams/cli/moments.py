"""Times as people type them: how long, and since when."""

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")


def duration(text: str, option: str | None = None) -> timedelta:
    """`90d`, `12h`, `30m` or `45s`, as it was given for `option`. Raises typer.BadParameter."""
    matched = _DURATION.fullmatch(text.strip())
    if matched is None:
        raise typer.BadParameter(f"{text!r} is no duration; examples: 90d, 12h, 30m", param_hint=option)
    return timedelta(**{_UNITS[matched[2]]: int(matched[1])})


def moment(text: str, now: datetime, option: str | None = None) -> datetime:
    """A duration before `now`, or an ISO 8601 date or time, in UTC if it names no zone. Raises
    typer.BadParameter."""
    if _DURATION.fullmatch(text.strip()):
        return before(now, duration(text))
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither a duration nor a time; examples: 2h, 2026-11-23, 2026-11-23T09:00:00+01:00",
            param_hint=option,
        ) from None
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)


def before(now: datetime, span: timedelta) -> datetime:
    """`now` less a span of time; the beginning of time if there is no such moment."""
    try:
        return now - span
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
