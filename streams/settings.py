"""Every setting: an environment variable with the prefix `STAFFETTA_`, or a line of `.env`.

A wrong value stops the start with one line that names the variable, what is wrong with it and an example.
Lists are comma-separated. An empty variable counts as not set.
"""

import os
import re
import ssl
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    FiniteFloat,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from streams import settings_errors
from streams.clock import Clock, ScaledClock
from streams.errors import UserError
from streams.smtp_url import SmtpServer, parse_smtp_url

_BROKER = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):\d{1,5}")
_ADDRESS = re.compile(r"[!-;=?A-~]+@[^\s@<>]+")
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,100}")
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


def _matching(pattern: re.Pattern[str], problem: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(problem)
        return value

    return AfterValidator(check)


Broker = Annotated[str, _matching(_BROKER, "each broker must be HOST:PORT")]
Upper = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
Lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)


class Settings(BaseSettings):
    """The attributes are the variables' names in lower case, without the prefix."""

    model_config = SettingsConfigDict(
        env_prefix="STAFFETTA_",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        validate_default=True,
    )

    brokers: Annotated[tuple[Broker, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=("localhost:9092",), min_length=1, examples=["kafka-1:9092,kafka-2:9092"]
    )
    security_protocol: Annotated[Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], Upper] = Field(
        default="PLAINTEXT", examples=["SASL_SSL"]
    )
    sasl_mechanism: Annotated[Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], Upper] = Field(
        default="PLAIN", examples=["SCRAM-SHA-512"]
    )
    sasl_username: str | None = Field(default=None, examples=["staffetta"])
    sasl_password: str | None = Field(default=None, repr=False, examples=["the password of that user"])
    ssl_ca: Path | None = Field(default=None, examples=["/etc/ssl/kafka-ca.pem"])
    topic_prefix: Annotated[str, _matching(_PREFIX, "only letters, digits, '.', '_' and '-' may be used")] = Field(
        default="", examples=["staging."]
    )
    """Put verbatim before the names of topics (internal ones too) and of consumer groups."""
    partitions: int = Field(default=12, ge=1, le=1000, examples=["12"])
    replication_factor: int = Field(default=-1, ge=-1, le=32767, examples=["3"])
    """-1: whatever the brokers are set to by `default.replication.factor`."""
    session_timeout_seconds: FiniteFloat = Field(default=10, gt=0, le=300, examples=["10"])
    instance_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,200}$", examples=["worker-1"])
    """Static membership of the consumer groups; without it membership is dynamic."""
    memory_budget_mb: int = Field(default=64, ge=4, examples=["64"])
    """How much a role's process may hold of fetched records that are not processed yet."""

    data_dir: Path = Field(
        default_factory=lambda: Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state") / "staffetta",
        examples=["/var/lib/staffetta"],
    )
    database_url: str = Field(
        default="", repr=False, examples=["postgresql://staffetta:secret@db.example.org/staffetta"]
    )
    """As SQLAlchemy takes it, driver included; by default SQLite in `data_dir`."""

    smtp_url: str = Field(
        default="smtp://localhost:25",
        repr=False,
        examples=["smtp+starttls://user:p%40ss@mail.example.org:587"],
    )
    smtp_from: str = Field(default="staffetta@localhost", examples=["Salon Beispiel <termine@example.org>"])
    email_concurrency: int = Field(default=20, ge=1, le=1000, examples=["20"])
    provider_timeout_seconds: FiniteFloat = Field(default=10, gt=0, examples=["10"])
    unconfirmed_grace_seconds: FiniteFloat = Field(default=120, ge=0, examples=["120"])
    recipient_hash_key: str | None = Field(default=None, repr=False, examples=["$(openssl rand -hex 32)"])
    """Keys the hash by which recipients appear in outcomes; never change it while a history matters."""
    recipient_allowlist: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(), examples=["*@example.org,+49151*"]
    )
    """Shell patterns of addresses that may be written to; empty: all."""

    clock_origin: AwareDatetime | None = Field(default=None, examples=["2026-11-23T06:00:00Z"])
    clock_speed: FiniteFloat = Field(default=1.0, gt=0, examples=["600"])
    clock_started_at: AwareDatetime | None = Field(default=None, examples=["2026-11-23T12:34:56Z"])
    """The real moment at which the clock showed `clock_origin`; the time of loading if it is not given."""

    web_host: str = Field(default="127.0.0.1", examples=["0.0.0.0"])
    web_port: int = Field(default=6066, ge=0, le=65535, examples=["6066"])
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Lower] = Field(
        default="info", examples=["info"]
    )
    log_format: Annotated[Literal["console", "json"], Lower] = Field(default="console", examples=["json"])

    @field_validator("data_dir", "ssl_ca")
    @classmethod
    def _home(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else value

    @field_validator("data_dir")
    @classmethod
    def _folder(cls, value: Path) -> Path:
        if value.exists() and not value.is_dir():
            raise ValueError("is a file, but must be a folder")
        return value

    @field_validator("ssl_ca")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        if value and not value.is_file():
            raise ValueError("there is no such file")
        return value

    @field_validator("database_url")
    @classmethod
    def _driver(cls, value: str) -> str:
        if not value:
            return value
        scheme, separator, rest = value.partition("://")
        dialect = scheme.partition("+")[0]
        if not separator or dialect not in {"sqlite", *_DATABASE_DRIVERS}:
            raise ValueError("must begin with sqlite://, postgresql://, mysql:// or mariadb://")
        return f"{_DATABASE_DRIVERS.get(scheme, scheme)}://{rest}"

    @field_validator("smtp_from")
    @classmethod
    def _address(cls, value: str) -> str:
        if not _ADDRESS.fullmatch(parseaddr(value)[1]):
            raise ValueError("must be ADDRESS or NAME <ADDRESS>")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str) -> str:
        parse_smtp_url(value)
        return value

    @model_validator(mode="after")
    def _derive(self) -> Self:
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.data_dir / 'staffetta.db'}")
        if self.clock_origin is not None or self.clock_speed != 1:
            started_at = self.clock_started_at or datetime.now(UTC)
            object.__setattr__(self, "clock_started_at", started_at)
            object.__setattr__(self, "clock_origin", self.clock_origin or started_at)
        return self

    @property
    def smtp(self) -> SmtpServer:
        return parse_smtp_url(self.smtp_url)

    def clock(self) -> Clock:
        """The one clock of roles, timers and `produce`."""
        if self.clock_origin is None or self.clock_started_at is None:
            return ScaledClock()
        return ScaledClock(self.clock_origin.timestamp(), self.clock_started_at.timestamp(), self.clock_speed)

    def kafka_client_config(self) -> dict[str, str]:
        """What every confluent-kafka client needs to connect; its own options come on top."""
        config = {"bootstrap.servers": ",".join(self.brokers), "security.protocol": self.security_protocol}
        if self.security_protocol.startswith("SASL"):
            config["sasl.mechanism"] = self.sasl_mechanism
            config["sasl.username"] = self.sasl_username or ""
            config["sasl.password"] = self.sasl_password or ""
        if self.security_protocol.endswith("SSL") and self.ssl_ca:
            config["ssl.ca.location"] = str(self.ssl_ca)
        return config

    def ssl_context(self) -> ssl.SSLContext | None:
        """For clients that want Python's own context; None without TLS."""
        if not self.security_protocol.endswith("SSL"):
            return None
        return ssl.create_default_context(cafile=self.ssl_ca)


def load_settings(roles: Collection[str] = ()) -> Settings:
    """Read the environment, refuse what is wrong or, for those `roles`, missing.

    A process started by the supervisor says nothing about unknown variables: the supervisor has said it.
    Raises UserError with exit code 2.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise UserError(settings_errors.explain(error, Settings), exit_code=2) from None
    lacking = missing(settings, roles)
    if lacking is not None:
        raise UserError(settings_errors.required(*lacking, Settings), exit_code=2)
    if "STAFFETTA_INTERNAL_PARENT" not in os.environ:
        for warning in settings_errors.unknown(Settings):
            print(warning, file=sys.stderr)
    return settings


def missing(settings: Settings, roles: Collection[str]) -> tuple[str, str] | None:
    """(field, why it is needed) of the first setting that is missing."""
    if settings.security_protocol.startswith("SASL"):
        for field in ("sasl_username", "sasl_password"):
            if getattr(settings, field) is None:
                return field, f"with STAFFETTA_SECURITY_PROTOCOL={settings.security_protocol}"
    for role in ("notify", "deliver"):
        if role in roles and settings.recipient_hash_key is None:
            return "recipient_hash_key", f"by the role {role}"
    return None
