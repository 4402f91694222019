"""What can be set, and what follows from it."""

import os
import secrets
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, FiniteFloat, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.clock import Clock, ScaledClock
from streams.settings.values import (
    LOWER,
    UPPER,
    BaseUrl,
    Brokers,
    Channels,
    DatabaseUrl,
    File,
    Folder,
    Ladder,
    Names,
    PerSecond,
    PublicUrl,
    ReplicationFactor,
    ReturnPath,
    Schedule,
    Secret,
    Sender,
    ServiceAccountJson,
    SmtpUrl,
    TopicPrefix,
    TwilioFrom,
    VapidKey,
    VapidSubject,
)
from streams.smtp_url import SmtpServer, parse_smtp_url


def _printed(value: str) -> str:
    if "$(" in value:
        raise ValueError("holds a command that no shell has run: run it, and put here what it prints")
    return value


PRINTED = AfterValidator(_printed)


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

    brokers: Brokers = Field(default=("localhost:9092",), examples=["kafka-1:9092,kafka-2:9092"])
    security_protocol: Annotated[Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], UPPER] = Field(
        default="PLAINTEXT", examples=["SASL_SSL"]
    )
    sasl_mechanism: Annotated[Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], UPPER] = Field(
        default="PLAIN", examples=["SCRAM-SHA-512"]
    )
    sasl_username: str | None = Field(default=None, examples=["staffetta"])
    sasl_password: str | None = Field(default=None, repr=False, examples=["the password of that user"])
    ssl_ca: File | None = Field(default=None, examples=["/etc/ssl/kafka-ca.pem"])
    topic_prefix: TopicPrefix = Field(default="", examples=["staging."])
    """Put verbatim before the names of topics (internal ones too) and of consumer groups."""
    partitions: int = Field(default=12, ge=1, le=1000, examples=["12"])
    replication_factor: ReplicationFactor = Field(default=-1, ge=-1, le=32767, examples=["3"])
    """-1: whatever the brokers are set to by `default.replication.factor`."""
    session_timeout_seconds: FiniteFloat = Field(default=10, gt=0, le=300, examples=["10"])
    instance_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,200}$", examples=["worker-1"])
    """Static membership of the consumer groups; without it membership is dynamic."""
    memory_budget_mb: int = Field(default=64, ge=4, examples=["64"])
    """How much a role's process may hold of fetched records that are not processed yet."""

    data_dir: Folder = Field(
        default_factory=lambda: Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state") / "staffetta",
        examples=["/var/lib/staffetta"],
    )
    database_url: DatabaseUrl = Field(
        default="", repr=False, examples=["postgresql://staffetta:secret@db.example.org/staffetta"]
    )
    """As SQLAlchemy takes it, driver included; by default SQLite in `data_dir`."""

    smtp_url: SmtpUrl = Field(
        default="smtp://localhost:25",
        repr=False,
        examples=["smtp+starttls://user:p%40ss@mail.example.org:587"],
    )
    smtp_from: Sender = Field(default="staffetta@localhost", examples=["Salon Beispiel <termine@example.org>"])
    smtp_return_path: ReturnPath | None = Field(default=None, examples=["bounces+{id}@example.org"])
    """Envelope sender; `{id}` becomes the notification's name."""
    email_concurrency: int = Field(default=20, ge=1, le=1000, examples=["20"])
    twilio_base_url: BaseUrl = Field(default="https://api.twilio.com", examples=["http://127.0.0.1:6071"])
    twilio_account_sid: str | None = Field(
        default=None, pattern=r"^AC[0-9a-fA-F]{32}$", examples=["AC0123456789abcdef0123456789abcdef"]
    )
    """With it there is SMS."""
    twilio_auth_token: Secret | None = Field(default=None, repr=False, examples=["the token of that account"])
    twilio_from: TwilioFrom | None = Field(default=None, examples=["+4930123456"])
    sms_concurrency: int = Field(default=20, ge=1, le=1000, examples=["20"])
    whatsapp_base_url: BaseUrl = Field(default="https://graph.facebook.com", examples=["http://127.0.0.1:6072"])
    """Without the version."""
    whatsapp_phone_number_id: str | None = Field(
        default=None, pattern=r"^[0-9]{1,32}$", examples=["106540352242922"]
    )
    """With it there is WhatsApp."""
    whatsapp_token: Secret | None = Field(default=None, repr=False, examples=["a system user's access token"])
    whatsapp_concurrency: int = Field(default=20, ge=1, le=1000, examples=["20"])
    email_per_second: PerSecond = Field(default=0, examples=["10"])
    sms_per_second: PerSecond = Field(default=0, examples=["1"])
    whatsapp_per_second: PerSecond = Field(default=80, examples=["80"])
    push_per_second: PerSecond = Field(default=0, examples=["500"])
    """Messages that an account takes in a second, over all workers; 0: no limit."""
    retry_unconfirmed: Channels = Field(default=(), examples=["sms,whatsapp"])
    """Channels on which what may have arrived is repeated, though nobody can tell that it is the same."""
    provider_timeout_seconds: FiniteFloat = Field(default=10, gt=0, examples=["10"])
    retry_schedule_seconds: Schedule = Field(default=(60, 300, 900), examples=["60,300,900"])
    """For configurations that give none: one retry after each of these delays."""
    delay_ladder_seconds: Ladder = Field(default=(1, 10, 60, 300, 900, 3600), examples=["1,10,60,300,900,3600"])
    """Each is a topic in which messages wait for that long."""
    breaker_failures: int = Field(default=20, ge=0, examples=["20"])
    """Failures in a row after which a channel is left alone for a while; 0: never."""
    breaker_seconds: FiniteFloat = Field(default=30, gt=0, examples=["30"])
    recipient_allowlist: Names = Field(default=(), examples=["*@example.org,anna@example.com"])
    """Shell patterns; nobody else is written to. For staging."""
    unconfirmed_grace_seconds: FiniteFloat = Field(default=120, ge=0, examples=["120"])
    receipt_wait_seconds: FiniteFloat = Field(default=86_400, ge=0, examples=["86400"])
    """For how long a notification is kept for its receipts after it was handed over."""
    # The examples of keys are new ones each time: whether in a shell or in `.env`, they can be copied.
    recipient_hash_key: Annotated[str, PRINTED] | None = Field(
        default=None, repr=False, examples=[secrets.token_hex(32)]
    )
    """Keys the hash by which recipients appear in outcomes; never change it while a history matters."""

    fcm_base_url: BaseUrl = Field(default="https://fcm.googleapis.com", examples=["http://127.0.0.1:6073"])
    fcm_credentials: ServiceAccountJson | None = Field(
        default=None, repr=False, examples=["/etc/staffetta/service-account.json"]
    )
    """The JSON itself, whether it or a path was given. With it there is push to apps."""
    vapid_private_key: VapidKey | None = Field(
        default=None, repr=False, examples=["/etc/staffetta/vapid-private-key.pem"]
    )
    """The 32 bytes in base64url, whether they or a path were given. With it there is push to browsers."""
    vapid_subject: VapidSubject | None = Field(default=None, examples=["mailto:push@example.org"])
    push_concurrency: int = Field(default=20, ge=1, le=1000, examples=["20"])
    webpush_allow_http: bool = Field(default=False, examples=["true"])
    """Endpoints may be without TLS, and anywhere: for tests."""

    clock_origin: AwareDatetime | None = Field(default=None, examples=["2026-11-23T06:00:00Z"])
    clock_speed: FiniteFloat = Field(default=1.0, gt=0, examples=["600"])
    clock_started_at: AwareDatetime | None = Field(default=None, examples=["2026-11-23T12:34:56Z"])
    """The real moment at which the clock showed `clock_origin`; the time of loading if it is not given."""

    web_host: str = Field(default="127.0.0.1", examples=["0.0.0.0"])
    web_port: int = Field(default=6066, ge=0, le=65535, examples=["6066"])
    webhook_port: int | None = Field(default=None, ge=0, le=65535, examples=["6067"])
    """Where the webhooks are served, if not on `web_port`."""
    public_url: PublicUrl | None = Field(default=None, examples=["https://notify.example.org"])
    """What the world puts before a webhook's path; without it no mail has an unsubscribe link."""
    whatsapp_app_secret: Secret | None = Field(default=None, repr=False, examples=["0123456789abcdef"])
    """Signs the notifications about WhatsApp messages; without it none is taken."""
    whatsapp_verify_token: Annotated[Secret, PRINTED] | None = Field(
        default=None, repr=False, examples=[secrets.token_hex(32)]
    )
    """What Meta is told when the webhook is entered there."""
    webhook_email_token: Annotated[Secret, PRINTED] | None = Field(
        default=None, repr=False, examples=[secrets.token_hex(32)]
    )
    """With it, bounces and complaints can be reported to `/webhooks/email`."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], LOWER] = Field(
        default="info", examples=["info"]
    )
    log_format: Annotated[Literal["console", "json"], LOWER] = Field(default="console", examples=["json"])

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

    @property
    def let_go_seconds(self) -> float:
        """How long a role may take to finish what is in flight: `deliver` connects and converses, each for up to
        the provider's time-out."""
        return max(0.8 * self.session_timeout_seconds, 2.2 * self.provider_timeout_seconds)

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
