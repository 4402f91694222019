"""`staffetta --help`."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.settings import load_settings
from streams.supervisor.roles import RoleName


def told(*words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--help"], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_the_first_look_sets_what_a_worker_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever does what stands there has a worker that starts; its commands exist."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STAFFETTA_RECIPIENT_HASH_KEY", raising=False)
    text = told()
    variables = re.findall(r"^ +echo \"(STAFFETTA_\w+)=\S.*\" >> \.env$", text, re.M)
    (tmp_path / ".env").write_text("".join(f"{name}=key\n" for name in variables))
    load_settings(tuple(RoleName))
    for command in re.findall(r"^ +staffetta ((?:[a-z-]+ )+)", text, re.M):
        told(*command.split())


def test_worker_names_its_ports() -> None:
    """Where what is served is said: also the webhooks."""
    assert {"STAFFETTA_WEB_PORT", "STAFFETTA_WEBHOOK_PORT", "webhooks"} <= set(re.findall(r"\w+", told("worker")))
