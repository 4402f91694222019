"""Moments as integers: exact, comparable and small. Milliseconds, like the timestamps of Kafka's records."""

from datetime import UTC, datetime, timedelta

DAY = 86_400_000
LONG_AGO = -(2**62)
FOREVER = 2**62

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def first_millisecond(moment_us: int) -> int:
    """The first whole millisecond that is not before `moment_us`: a record's timestamp `t` has reached the moment
    exactly if `t >= first_millisecond(moment_us)`."""
    return -(-moment_us // 1000)


def instant(moment: int) -> datetime:
    """Milliseconds as an aware datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=moment)


def instant_us(moment_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment_us)
