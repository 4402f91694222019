"""Values as they are written in the environment, and what makes them wrong (ValueError says what)."""

import re
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat
from pydantic_settings import NoDecode

from schemas.addresses import is_ascii_address
from schemas.base import FOURTEEN_DAYS_IN_SECONDS, MAX_RETRIES
from schemas.reasons import ChannelName
from streams.push_keys import service_account_json, vapid_key
from streams.smtp_url import parse_smtp_url

_ADDRESS = re.compile(r"[!-;=?A-~]+@[^\s@<>]+")
_URL = re.compile(r"https?://[A-Za-z0-9\[][!-~]*", re.IGNORECASE)
_TWILIO_FROM = re.compile(
    r"MG[0-9a-f]{32}|\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9 +&_-]{1,11}"
)
_VAPID_SUBJECT = re.compile(
    r"mailto:[!-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]{1,5})?(/[!-~]*)?"
)
_BROKER = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):\d{1,5}")
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,100}")
_IN_MEMORY = {"", "/", "/:memory:"}
_DATABASE_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _brokers(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or not all(map(_BROKER.fullmatch, value)):
        raise ValueError("must be HOST:PORT, or several with commas between")
    return value


def _prefix(value: str) -> str:
    if not _PREFIX.fullmatch(value):
        raise ValueError("must have only letters, digits, '.', '_' and '-', at most 100")
    return value


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(parseaddr(value)[1]):
        raise ValueError("must be ADDRESS or NAME <ADDRESS>")
    return value


def _return_path(value: str) -> str:
    if "{id}" not in value or not is_ascii_address(value.replace("{id}", "id")):
        raise ValueError("must be an address with {id} in it")
    return value


def _public_url(value: str) -> str:
    if not _URL.fullmatch(value) or set("?#<>") & set(value):
        raise ValueError("must begin with https:// or http://, without blanks, '?', '#', '<' and '>'")
    return _with_possible_port(value).rstrip("/")


def _base_url(value: str) -> str:
    if not _URL.fullmatch(value) or set("?#<>@") & set(value):
        raise ValueError("must begin with https:// or http://, without user, blanks, '?' and '#'")
    return _with_possible_port(value).rstrip("/")


def _with_possible_port(url: str) -> str:
    try:
        possible = urlsplit(url).port != 0
    except ValueError:
        possible = False
    if not possible:
        raise ValueError("the port must be a number from 1 to 65535")
    return url


def _secret(value: str) -> str:
    """In a header, nothing else can be sent; around a secret, it is what a file or the clipboard has added."""
    if not value.isprintable() or value != value.strip():
        raise ValueError("must have no line break, no other control character, and no blank at its ends")
    return value


def _twilio_from(value: str) -> str:
    if not _TWILIO_FROM.fullmatch(value):
        raise ValueError("must be a number (+49…), a short code, a name of at most 11 letters, or MG…")
    return value


def _smtp_url(value: str) -> str:
    parse_smtp_url(value)
    return value


def _vapid_subject(value: str) -> str:
    if not _VAPID_SUBJECT.fullmatch(value):
        raise ValueError("must be mailto:ADDRESS, or https:// and a name with a dot")
    return value


def _database_url(value: str) -> str:
    """With the driver that is installed, where none is named."""
    if not value:
        return value
    scheme, separator, rest = value.partition("://")
    if not separator or scheme.partition("+")[0] not in {"sqlite", *_DATABASE_DRIVERS}:
        raise ValueError("must begin with sqlite://, postgresql://, mysql:// or mariadb://")
    if scheme.startswith("sqlite") and rest.partition("?")[0] in _IN_MEMORY:
        raise ValueError("must name a file, for all processes share it: sqlite:////PATH")
    return f"{_DATABASE_DRIVERS.get(scheme, scheme)}://{rest}"


def _schedule(value: tuple[int, ...]) -> tuple[int, ...]:
    if len(value) > MAX_RETRIES or any(not 1 <= seconds <= FOURTEEN_DAYS_IN_SECONDS for seconds in value):
        raise ValueError(
            f"must be whole seconds from 1 to {FOURTEEN_DAYS_IN_SECONDS} (14 days), with commas between, "
            f"at most {MAX_RETRIES} of them"
        )
    return value


def _ladder(value: tuple[int, ...]) -> tuple[int, ...]:
    if not value or any(not 1 <= seconds <= 86_400 for seconds in value):
        raise ValueError("must be whole seconds from 1 to 86400, with commas between")
    return tuple(sorted(set(value)))


def _replicas(value: int) -> int:
    if value == 0:
        raise ValueError("must be -1 (as the brokers have it), or 1 or more")
    return value


def _absolute(value: Path) -> Path:
    try:
        return value.expanduser().absolute()
    except RuntimeError:
        raise ValueError("the home folder for its ~ is not known") from None


def _file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("there is no such file")
    return value


def _folder(value: Path) -> Path:
    if value.exists() and not value.is_dir():
        raise ValueError("is a file, but must be a folder")
    return value


UPPER = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
LOWER = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)

Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
PerSecond = Annotated[FiniteFloat, Field(ge=0)]
Channels = Annotated[tuple[ChannelName, ...], NoDecode, BeforeValidator(_split)]
WholeSeconds = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_split)]
Schedule = Annotated[WholeSeconds, AfterValidator(_schedule)]
Ladder = Annotated[WholeSeconds, AfterValidator(_ladder)]
Brokers = Annotated[Names, AfterValidator(_brokers)]
TopicPrefix = Annotated[str, AfterValidator(_prefix)]
Sender = Annotated[str, AfterValidator(_address)]
ReturnPath = Annotated[str, AfterValidator(_return_path)]
ReplicationFactor = Annotated[int, AfterValidator(_replicas)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
TwilioFrom = Annotated[str, AfterValidator(_twilio_from)]
Secret = Annotated[str, AfterValidator(_secret)]
SmtpUrl = Annotated[str, AfterValidator(_smtp_url)]
ServiceAccountJson = Annotated[str, AfterValidator(service_account_json)]
VapidKey = Annotated[str, AfterValidator(vapid_key)]
VapidSubject = Annotated[str, AfterValidator(_vapid_subject)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
File = Annotated[Path, AfterValidator(_absolute), AfterValidator(_file)]
Folder = Annotated[Path, AfterValidator(_absolute), AfterValidator(_folder)]
