"""Settings: what is read from the environment, and what is said about what is wrong."""

import os
import re
from pathlib import Path

import pytest
from faust import SASLCredentials, SSLCredentials
from faust.types.auth import AuthProtocol, SASLMechanism

from streams.errors import UserError
from streams.faust_credentials import faust_credentials
from streams.settings import Settings, load_settings

SECRET = "s3cr3t"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but those of the test, no `.env` but that of its folder."""
    for name in os.environ:
        if name.upper().startswith("STAFFETTA_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refusal(*roles: str) -> str:
    with pytest.raises(UserError) as caught:
        load_settings(roles)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_nothing_must_be_set() -> None:
    """Without any variable a worker finds a local broker, a SQLite file and a local mail server."""
    settings = load_settings()
    assert settings.kafka_client_config() == {
        "bootstrap.servers": "localhost:9092",
        "security.protocol": "PLAINTEXT",
    }
    assert (settings.smtp.host, settings.smtp.port) == ("localhost", 25)
    assert settings.partitions == 12
    assert settings.web_port == 6066


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("PARTITIONS", "twelve", "must be a whole number. "),
        ("PARTITIONS", "0", "must be greater than or equal to 1"),
        ("REPLICATION_FACTOR", "0", "must be -1 (as the brokers have it), or 1 or more"),
        ("BROKERS", "kafka-1", "must be HOST:PORT, or several"),
        ("BROKERS", "kafka-1:9092;kafka-2:9092", "must be HOST:PORT, or several"),
        ("WEB_PORT", "66000", "must be less than or equal to 65535"),
        ("LOG_FORMAT", "xml", "must be 'console' or 'json'"),
        ("CLOCK_ORIGIN", "2026-11-23T06:00:00", "must have timezone info"),
        ("CLOCK_SPEED", "fast", "must be a number. "),
        ("WEBPUSH_ALLOW_HTTP", "maybe", "must be true or false. "),
        ("CLOCK_SPEED", "nan", "must be a finite number"),
        ("SESSION_TIMEOUT_SECONDS", "-1", "must be greater than 0"),
        ("TOPIC_PREFIX", "a/b", "must have only letters, digits"),
        ("RETRY_SCHEDULE_SECONDS", "60;300", "must be a whole number. "),
        ("RETRY_SCHEDULE_SECONDS", "0", "must be whole seconds from 1 to 1209600"),
        ("RETRY_SCHEDULE_SECONDS", "1,-1", "must be whole seconds from 1 to 1209600"),
        ("RETRY_SCHEDULE_SECONDS", "1209601", "must be whole seconds from 1 to 1209600 (14 days)"),
        ("DELAY_LADDER_SECONDS", "0,10", "must be whole seconds from 1 to 86400"),
        ("DELAY_LADDER_SECONDS", ",", "must be whole seconds from 1 to 86400"),
        ("BREAKER_FAILURES", "-1", "must be greater than or equal to 0"),
        ("SMTP_FROM", "Salon Beispiel", "must be ADDRESS or NAME <ADDRESS>"),
        ("SMTP_RETURN_PATH", "bounces@example.org", "must be an address with {id} in it"),
        ("SMTP_RETURN_PATH", "{id} <x@example.org>", "must be an address with {id} in it"),
        ("PUBLIC_URL", "notify.example.org", "must begin with https:// or http://"),
        ("PUBLIC_URL", "https://example.org/?x", "must begin with https:// or http://"),
        ("TWILIO_FROM", "Salon Beispiel GmbH", "must be a number (+49…)"),
        ("TWILIO_FROM", "030123456x!", "must be a number (+49…)"),
        ("TWILIO_BASE_URL", "api.twilio.com", "must begin with https:// or http://"),
        ("WHATSAPP_BASE_URL", "https://user@graph.example", "must begin with https:// or http://, without user"),
        ("WHATSAPP_PHONE_NUMBER_ID", "+49151", "should match pattern"),
        ("RETRY_UNCONFIRMED", "fax", "must be 'email', 'sms', 'whatsapp' or 'push'"),
        ("WEBHOOK_PORT", "66000", "must be less than or equal to 65535"),
        ("SSL_CA", "/nowhere/ca.pem", "there is no such file"),
        ("DATA_DIR", "/etc/hostname", "is a file, but must be a folder"),
        ("DATA_DIR", "~nobody-at-all/x", "the home folder for its ~ is not known"),
        ("SSL_CA", "~nobody-at-all/ca.pem", "the home folder for its ~ is not known"),
        ("TWILIO_BASE_URL", "https://api.twilio.com:abc", "the port must be a number from 1 to 65535"),
        ("WHATSAPP_BASE_URL", "https://graph.example:0", "the port must be a number from 1 to 65535"),
        ("FCM_BASE_URL", "https://fcm.example:65536/x", "the port must be a number from 1 to 65535"),
        ("PUBLIC_URL", "https://example.org:1x", "the port must be a number from 1 to 65535"),
    ],
)
def test_a_wrong_value_is_one_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    """A wrong value is refused in one line: the variable and its value, the problem, an example."""
    monkeypatch.setenv(f"STAFFETTA_{variable}", value)
    said = refusal()
    assert said.startswith(f"STAFFETTA_{variable}={value}: ")
    assert problem in said
    assert f"Example: STAFFETTA_{variable}=" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("DATABASE_URL", f"oracle://u:{SECRET}@h/db", "must begin with sqlite://"),
        ("DATABASE_URL", f"sqlite://?x={SECRET}", "must name a file"),
        ("DATABASE_URL", f"sqlite:///:memory:?x={SECRET}", "must name a file"),
        ("SMTP_URL", f"http://u:{SECRET}@h", "must begin with smtp://"),
        ("SMTP_URL", f"smtp://u:{SECRET}/x@h", "percent-encode"),
        ("SMTP_URL", f"smtp://u:{SECRET}@h:70000", "the port must be a number"),
        ("SMTP_URL", "smtp://", "names no host"),
    ],
)
def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str) -> None:
    """What may hold a password is refused without being quoted."""
    monkeypatch.setenv(f"STAFFETTA_{variable}", value)
    said = refusal()
    assert said.startswith(f"STAFFETTA_{variable}: ")
    assert problem in said
    assert SECRET not in said


@pytest.mark.parametrize(
    "field",
    ["TWILIO_AUTH_TOKEN", "WHATSAPP_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN", "WEBHOOK_EMAIL_TOKEN"],
)
@pytest.mark.parametrize("value", [f"{SECRET}\n", f" {SECRET}", f"{SECRET}\t", f"{SECRET}\x7f{SECRET}"])
def test_a_secret_with_a_line_break(monkeypatch: pytest.MonkeyPatch, field: str, value: str) -> None:
    """What a file or the clipboard has added to a secret is refused at the start, and not by the provider for each
    message."""
    monkeypatch.setenv(f"STAFFETTA_{field}", value)
    said = refusal()
    assert said.startswith(f"STAFFETTA_{field}: must have no line break")
    assert SECRET not in said


def test_secrets_are_not_in_the_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printing the settings prints no password and no key."""
    monkeypatch.setenv("STAFFETTA_SASL_PASSWORD", SECRET)
    monkeypatch.setenv("STAFFETTA_RECIPIENT_HASH_KEY", SECRET)
    for field in ("TWILIO_AUTH_TOKEN", "WHATSAPP_TOKEN"):
        monkeypatch.setenv(f"STAFFETTA_{field}", SECRET)
    monkeypatch.setenv("STAFFETTA_SMTP_URL", f"smtp://u:{SECRET}@h")
    monkeypatch.setenv("STAFFETTA_DATABASE_URL", f"postgresql://u:{SECRET}@h/db")
    settings = load_settings()
    assert SECRET not in repr(settings)
    assert SECRET not in repr(settings.smtp)


def test_every_example_is_a_right_value() -> None:
    """The examples in the messages can be copied."""
    for name, field in Settings.model_fields.items():
        assert field.examples, name
        if name not in ("ssl_ca", "fcm_credentials", "vapid_private_key"):  # must exist
            Settings.model_validate({name: field.examples[0]})


@pytest.mark.parametrize("role", ["notify", "deliver"])
def test_hash_key_is_required(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    """The roles that hash recipients do not start without a key for it; the others do."""
    assert refusal(role).startswith("STAFFETTA_RECIPIENT_HASH_KEY is not set, but needed by the role " + role)
    load_settings(["assign", "record"])
    monkeypatch.setenv("STAFFETTA_RECIPIENT_HASH_KEY", "key")
    load_settings([role])


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ("TWILIO_ACCOUNT_SID=AC0123456789abcdef0123456789abcdef", "TWILIO_AUTH_TOKEN"),
        ("TWILIO_AUTH_TOKEN=secret", "TWILIO_ACCOUNT_SID"),
        ("WHATSAPP_TOKEN=secret", "WHATSAPP_PHONE_NUMBER_ID"),
        (f"VAPID_PRIVATE_KEY={'A' * 42}E", "VAPID_SUBJECT"),
        ("VAPID_SUBJECT=mailto:push@example.org", "VAPID_PRIVATE_KEY"),
    ],
)
def test_half_an_account(monkeypatch: pytest.MonkeyPatch, given: str, lacking: str) -> None:
    """`deliver` does not start with half of what an account takes; the other roles have no use for it."""
    name, _, value = given.partition("=")
    monkeypatch.setenv("STAFFETTA_RECIPIENT_HASH_KEY", "key")
    monkeypatch.setenv(f"STAFFETTA_{name}", value)
    assert refusal("deliver").startswith(f"STAFFETTA_{lacking} is not set, but needed with STAFFETTA_{name}")
    load_settings(["assign", "notify", "record"])


def test_unknown_variables_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A variable that is no setting gives one warning line, with what was probably meant; in `.env` too."""
    monkeypatch.setenv("STAFFETTA_BROKER", "kafka:9092")
    Path(".env").write_text("STAFFETTA_COFFEE=black\n")
    load_settings()
    assert capsys.readouterr().err.splitlines() == [
        "warning: STAFFETTA_BROKER is not a setting and has no effect; did you mean STAFFETTA_BROKERS?",
        "warning: STAFFETTA_COFFEE is not a setting and has no effect",
    ]


def test_unreadable_dotenv() -> None:
    """A `.env` that is no UTF-8 text is a mistake to be mended, in one line."""
    Path(".env").write_bytes(b"STAFFETTA_SMTP_FROM=\xff\n")
    assert refusal().startswith("the settings cannot be read: ")


@pytest.mark.parametrize("line", ['STAFFETTA_SMTP_URL="smtp://s3cr3t@h', "STAFFETTA_SMTP_URL smtp://s3cr3t@h"])
def test_a_line_that_sets_nothing(line: str) -> None:
    """A line of `.env` that cannot be read is named by its number, without what may be a password."""
    Path(".env").write_text(f"# ours\n\nSTAFFETTA_PARTITIONS=4\n\n\n{line}\nSTAFFETTA_WEB_PORT=1\n")
    assert refusal() == ".env, line 6, cannot be read. Example: STAFFETTA_PARTITIONS=12"


@pytest.mark.parametrize("field", ["RECIPIENT_HASH_KEY", "WHATSAPP_VERIFY_TOKEN", "WEBHOOK_EMAIL_TOKEN"])
def test_a_command_is_no_key(field: str) -> None:
    """A command that a shell would run is only text in `.env`; the example instead is a key."""
    Path(".env").write_text(f"STAFFETTA_{field}=$(openssl rand -hex 32)\n")
    said = refusal()
    assert said.startswith(f"STAFFETTA_{field}: holds a command that no shell has run: run it, and put here what")
    assert re.search(f"Example: STAFFETTA_{field}=[0-9a-f]{{64}}$", said)


def test_children_do_not_repeat_the_warnings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The supervisor warns once, not each of its roles again; its own variables are no unknown settings."""
    monkeypatch.setenv("STAFFETTA_BROKER", "kafka:9092")
    monkeypatch.setenv("STAFFETTA_INTERNAL_PARENT", "5")
    load_settings()
    assert capsys.readouterr().err == ""


def test_lists_and_dotenv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are comma-separated; `.env` is read, the environment wins; an empty variable is not set."""
    Path(".env").write_text("STAFFETTA_PARTITIONS=4\nSTAFFETTA_TOPIC_PREFIX=dev.\n")
    monkeypatch.setenv("STAFFETTA_BROKERS", "a:1, b:2,")
    monkeypatch.setenv("STAFFETTA_PARTITIONS", "6")
    monkeypatch.setenv("STAFFETTA_INSTANCE_ID", "")
    settings = load_settings()
    assert settings.brokers == ("a:1", "b:2")
    assert (settings.partitions, settings.topic_prefix) == (6, "dev.")
    assert settings.instance_id is None


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        ("postgres://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        ("mysql://u:p@h/db", "mysql+pymysql://u:p@h/db"),
        ("mariadb://u:p@h/db", "mariadb+pymysql://u:p@h/db"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
        ("", "sqlite:////var/lib/staffetta/staffetta.db"),
    ],
)
def test_database_url(monkeypatch: pytest.MonkeyPatch, given: str, used: str) -> None:
    """A database is named without a driver; without a name it is SQLite in the data folder."""
    monkeypatch.setenv("STAFFETTA_DATA_DIR", "/var/lib/staffetta")
    monkeypatch.setenv("STAFFETTA_DATABASE_URL", given)
    assert load_settings().database_url == used


def test_data_folder_is_the_users_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default data lies where the XDG specification puts a program's state."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/anna")
    assert load_settings().data_dir == Path("/home/anna/.local/state/staffetta")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert load_settings().data_dir == Path("/state/staffetta")


def test_log_in_to_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    """SASL settings reach the clients; a user or password that is missing is named."""
    monkeypatch.setenv("STAFFETTA_SECURITY_PROTOCOL", "sasl_ssl")
    monkeypatch.setenv("STAFFETTA_SASL_MECHANISM", "scram-sha-512")
    monkeypatch.setenv("STAFFETTA_SASL_USERNAME", "anna")
    assert refusal().startswith("STAFFETTA_SASL_PASSWORD is not set, but needed with STAFFETTA_SECURITY_PROTOCOL")
    monkeypatch.setenv("STAFFETTA_SASL_PASSWORD", "p")
    settings = load_settings()
    assert settings.kafka_client_config() == {
        "bootstrap.servers": "localhost:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "anna",
        "sasl.password": "p",
    }
    credentials = faust_credentials(settings)
    assert isinstance(credentials, SASLCredentials)
    assert (credentials.username, credentials.password) == ("anna", "p")
    assert (credentials.protocol, credentials.mechanism) == (
        AuthProtocol.SASL_SSL,
        SASLMechanism.SCRAM_SHA_512,
    )


def test_no_log_in_to_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS alone needs no user; by default there is neither."""
    assert faust_credentials(load_settings()) is None
    monkeypatch.setenv("STAFFETTA_SECURITY_PROTOCOL", "SSL")
    assert isinstance(faust_credentials(load_settings()), SSLCredentials)


def test_compressed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """now = origin + (real time - started at) * speed, the same in every process that knows all three."""
    monkeypatch.setenv("STAFFETTA_CLOCK_ORIGIN", "2026-03-01T06:00:00Z")
    monkeypatch.setenv("STAFFETTA_CLOCK_SPEED", "1440")
    monkeypatch.setattr("time.time", lambda: 1_000_060.0)
    monkeypatch.setenv("STAFFETTA_CLOCK_STARTED_AT", "1000000")
    # A minute has passed: a whole day by the clock.
    assert load_settings().clock().now() == 1_772_344_800 + 86_400


def test_wall_clock_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without clock settings it is the time of day."""
    monkeypatch.setattr("time.time", lambda: 1_000_000.5)
    assert load_settings().clock().now() == 1_000_000.5


def test_a_clock_without_a_start_starts_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the speed is set, the clock starts at the real time, and the start can be passed on."""
    monkeypatch.setenv("STAFFETTA_CLOCK_SPEED", "60")
    settings = load_settings()
    assert settings.clock_started_at is not None
    assert settings.clock_origin == settings.clock_started_at


def test_retries_that_nobody_can_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 10 000 retries it is said how many there may be; a comma alone is none at all."""
    monkeypatch.setenv("STAFFETTA_RETRY_SCHEDULE_SECONDS", ",".join(["1"] * 10_000))
    said = refusal()
    assert "at most 50 of them" in said
    assert len(said) < 500
    monkeypatch.setenv("STAFFETTA_RETRY_SCHEDULE_SECONDS", ",")
    assert load_settings().retry_schedule_seconds == ()


def test_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are comma-separated; the ladder is sorted, and each of its delays is there once."""
    monkeypatch.setenv("STAFFETTA_RETRY_SCHEDULE_SECONDS", "1, 1,5")
    monkeypatch.setenv("STAFFETTA_DELAY_LADDER_SECONDS", "60,1,60")
    monkeypatch.setenv("STAFFETTA_RECIPIENT_ALLOWLIST", "*@example.org, anna@example.com")
    settings = load_settings()
    assert settings.retry_schedule_seconds == (1, 1, 5)
    assert settings.delay_ladder_seconds == (1, 60)
    assert settings.recipient_allowlist == ("*@example.org", "anna@example.com")
