"""`staffetta preview`."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from schemas.reasons import ChannelName, NotificationType
from streams.cli import app
from streams.errors import UserError


def preview(*words: str) -> Result:
    return CliRunner().invoke(app, ["preview", *words])


def template(folder: Path, **fields: Any) -> str:
    file = folder / "ours.json"
    file.write_text(json.dumps(fields))
    return str(file)


def refusal(done: Result) -> UserError:
    assert isinstance(done.exception, UserError)
    assert len(str(done.exception).splitlines()) == 1
    assert done.stdout == ""
    return done.exception


@pytest.mark.parametrize("event_type", NotificationType)
@pytest.mark.parametrize("channel", ChannelName)
@pytest.mark.parametrize("locale", ["de", "en", "de-AT", "fr"])
def test_everything_can_be_seen(event_type: str, channel: str, locale: str) -> None:
    """Each type on each channel in each language is shown, whatever is configured."""
    done = preview(event_type, "--channel", channel, "--locale", locale)
    assert done.exit_code == 0
    assert "Erika Muster" in done.stdout or "Beispiel GmbH" in done.stdout


def test_mail() -> None:
    """A mail is shown as its subject and text."""
    done = preview("appointment.created")
    assert done.stdout.startswith("Subject: Ihr Termin am 24.11.2026 um 14:30 Uhr\n\nGuten Tag Erika Muster,\n")


def test_html() -> None:
    """The HTML can be had for a browser; a message without says so."""
    assert preview("appointment.created", "--html").stdout.startswith("<!doctype html>")
    error = refusal(preview("appointment.created", "--html", "--channel", "sms"))
    assert (error.exit_code, str(error)) == (2, "this message has no HTML")


def test_sms() -> None:
    """An SMS is shown with what it costs."""
    lines = preview("appointment.cancelled", "--channel", "sms").stdout.splitlines()
    assert lines[-1] == f"1 segment, GSM-7, {len(lines[0])} characters"


def test_audience() -> None:
    """The colleague's text can be seen; what nobody of that kind is told is a wrong call."""
    assert (
        "(Erika Muster, Beratung)"
        in preview("appointment.created", "--audience", "staff", "--channel", "sms").stdout
    )
    error = refusal(preview("callback.assigned", "--audience", "customer"))
    assert (error.exit_code, str(error)) == (2, "callback.assigned is not told to customer")


@pytest.mark.parametrize(
    ("locale", "note"), [("fr", "There are no texts in 'fr'; this is in 'de'.\n"), ("de-AT", ""), ("EN_us", "")]
)
def test_unknown_language(locale: str, note: str) -> None:
    """Where a language has no texts it is said which is shown."""
    assert preview("appointment.created", "--locale", locale).stderr == note


@pytest.mark.parametrize("pair", ["room", "=3", "=="])
def test_extra_without_a_name(pair: str) -> None:
    """A value of extra has a name."""
    error = refusal(preview("appointment.created", "--extra", pair))
    assert (error.exit_code, str(error)) == (2, f"--extra {pair}: must be NAME=TEXT, such as --extra room=3")


@pytest.mark.parametrize("text", ["", " \n", "{% if extra.room == '4' %}Raum 4{% endif %}"])
def test_template_that_says_nothing(tmp_path: Path, text: str) -> None:
    """The built-in text is not shown as if it were the template's."""
    file = tmp_path / "ours.txt"
    file.write_text(text)
    done = preview("appointment.created", "--template", str(file), "--extra", "room=3")
    assert str(refusal(done)) == "the template says nothing here: the built-in text would be sent instead"
    assert "says nothing" in str(
        refusal(preview("appointment.created", "--template", template(tmp_path, body_text=text)))
    )


def test_own_template(tmp_path: Path) -> None:
    """A template is shown filled, with values of extra."""
    file = template(tmp_path, subject="Hallo {{ customer_name }}", body_text="Raum {{ extra.room }}")
    done = preview("appointment.created", "--template", file, "--extra", "room=3")
    assert done.stdout == "Subject: Hallo Erika Muster\n\nRaum 3\n"


def test_approved_template(tmp_path: Path) -> None:
    """A template that the provider has is shown as it is asked for."""
    approved = {"name": "reminder", "language": "de", "parameters": ["customer_name", "extra.room"]}
    ours = template(tmp_path, body_text="Hallo", provider_template=approved)
    said = preview("appointment.created", "--channel", "whatsapp", "--template", ours, "--extra", "room=3")
    assert said.output.splitlines()[:3] == [
        "Asks for the template reminder (de) with:",
        "  {{1}} Erika Muster",
        "  {{2}} 3",
    ]


def test_plain_file(tmp_path: Path) -> None:
    """A file that is no JSON is the text."""
    file = tmp_path / "ours.txt"
    file.write_text("{{ customer_name }}, bis bald!\n")
    done = preview("appointment.created", "--template", str(file), "--channel", "sms")
    assert done.stdout.splitlines()[0] == "Erika Muster, bis bald!"


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        (
            {"body_text": "{{ customer_nmae }}"},
            1,
            "refused (unknown_placeholder): body_text: there is no placeholder 'customer_nmae'",
        ),
        (
            {"body_text": "{{ callback_priority }}"},
            1,
            "appointment.created can never fill {{ callback_priority }}",
        ),
        ({"subject": "x"}, 1, "refused: body_text: Field required"),
        ({"body_text": "x" * 10_001}, 1, "refused: body_text: String should have at most 10000 characters"),
        ({"body_text": "x", "channel": "sms"}, 2, "the template is for sms: say --channel sms"),
    ],
)
def test_refused_template(tmp_path: Path, fields: dict[str, Any], status: int, reason: str) -> None:
    """A template that would be refused is refused here, with the reason in one line."""
    error = refusal(preview("appointment.created", "--template", template(tmp_path, **fields)))
    assert error.exit_code == status
    assert reason in str(error)


@pytest.mark.parametrize(("content", "said"), [("{", "is no JSON"), ("[]", "must hold one JSON object")])
def test_unreadable_template(tmp_path: Path, content: str, said: str) -> None:
    """A file that cannot be a template is named."""
    file = tmp_path / "ours.json"
    file.write_text(content)
    assert said in str(refusal(preview("appointment.created", "--template", str(file))))
