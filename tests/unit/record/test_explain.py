"""`staffetta db upgrade` and `staffetta explain`, on SQLite."""

import json
import re
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from sinks.database.engine import create_engine
from streams.cli import db
from streams.cli.explain import explain
from streams.errors import UserError
from tests.support.databases import write
from tests.support.story import Log, callback, decision, recorded, story

app = Typer()
app.add_typer(db.app)
app.command()(explain)


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/folder/record.db"
    monkeypatch.setenv("STAFFETTA_DATABASE_URL", url)
    return url


def run(*words: str) -> str:
    """The command's output; what it raises is raised."""
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def fill(url: str, log: Log) -> None:
    run("db", "upgrade")
    write(create_engine(url), recorded(log.records).rows)


def test_upgrade_says_what_it_did(tmp_path: Path) -> None:
    """The first `db upgrade` makes folder, file and tables and says so; the second finds nothing to do."""
    first = run("db", "upgrade")
    assert f"{tmp_path}/folder/record.db" in first
    assert "+ 0001: " in first
    assert first.endswith("Done.\n")
    assert run("db", "upgrade").endswith("The tables are as they should be.\n")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("sqlite:////etc/hostname", "sqlite:////etc/hostname"),
        ("sqlite:////etc/hostname/x/y", "sqlite:////etc/hostname/x/y"),
        ("postgres://anna:s3cr3t@127.0.0.1:1/db?password=s3cr3t", "postgresql://anna:***@127.0.0.1:1/db"),
    ],
)
def test_upgrade_of_what_is_no_database(monkeypatch: pytest.MonkeyPatch, given: str, shown: str) -> None:
    """What cannot be had is named as it was given, without its password and with the setting."""
    monkeypatch.setenv("STAFFETTA_DATABASE_URL", given)
    with pytest.raises(UserError) as refused:
        run("db", "upgrade")
    said = str(refused.value)
    assert said.startswith(f"the database {shown} cannot be used (")
    assert said.endswith(": mend it or set STAFFETTA_DATABASE_URL")


@pytest.mark.parametrize("id", ["", " "])
def test_explain_nothing(id: str) -> None:
    """An id that a script has not filled is a wrong call."""
    with pytest.raises(UserError, match="say which: the id of a callback") as refused:
        run("explain", id)
    assert refused.value.exit_code == 2


def test_explain_without_tables() -> None:
    """Before the tables exist, the command that makes them is named."""
    with pytest.raises(UserError, match="run `staffetta db upgrade`") as refused:
        run("explain", "cb-1")
    assert refused.value.exit_code == 1


def test_explain_a_callback(url: str) -> None:
    """It names the chosen one and why, every candidate with load, turn and why not, the basis and the history, in
    the branch's time."""
    fill(url, story())
    text = run("explain", "cb-1")
    lines = [re.sub(" +", " ", line).strip() for line in text.splitlines()]
    for line in (
        "Callback cb-1 of company co-1: branch br-1, priority high, completed, with st-1 Anna",
        "callback.auto_assigned at 2026-11-23 13:01:00: st-1 Anna, chosen by load_based",
        "-> st-1 Anna 2 7 2026-11-23 12:30:00",
        "st-2 Bert 5 3 never at_capacity",
        "rested on partition 0 up to booking.callbacks 0, booking.directory 3",
        "2026-11-23 13:00:00 callback.requested version 1, pending",
        "2026-11-23 13:03:00 notification.unconfirmed callback.assigned, staff, email, lost_after_data",
        "n-1 callback.assigned st-1 Anna sent, email",
        "n-2 callback.assigned st-1 Anna failed, email, rejected",
        "Times are those of Europe/Berlin.",
    ):
        assert line in lines, text


def test_what_others_say_is_shown_as_it_is(url: str) -> None:
    """Neither a note nor a name is anything that a terminal obeys."""
    log = story()
    told = decision("d-3", note="please\x1b[2J", staff_name="Anna\x1b[2J", reason="requested")
    log.add("assignment.decisions", "callback.reassigned", told, minutes=9)
    fill(url, log)
    text = run("explain", "cb-1")
    assert "\x1b" not in text
    assert "note: please\\x1b[2J" in text
    assert "st-1 Anna\\x1b[2J" in text


def test_explain_as_json(url: str) -> None:
    """`--json` has all of it, for programs; a decision's id explains that decision."""
    fill(url, story())
    explained = json.loads(run("explain", "d-1", "--json"))
    assert explained["callback_id"] == "cb-1"
    assert explained["decision"]["decided_at"] == "2026-11-23T12:01:00Z"
    assert [candidate["staff_id"] for candidate in explained["decision"]["candidates"]] == ["st-1", "st-2"]
    assert [step["what"] for step in explained["history"]] == [
        "callback.requested",
        "callback.auto_assigned",
        "callback.updated",
        "notification.unconfirmed",
        "notification.failed",
        "notification.sent",
        "callback.completed",
    ]
    assert [each["notification_id"] for each in explained["notifications"]] == ["n-1", "n-2"]


def test_explain_the_latest_decision(url: str) -> None:
    """A callback's id explains the decision that was made last; an earlier one has its own id."""
    log = story()
    nobody = decision("d-2", reason="no_eligible_staff", chosen_by=None, staff_id=None, staff_name=None)
    log.add("assignment.decisions", "callback.waiting", nobody, minutes=8)
    fill(url, log)
    assert "callback.waiting at 2026-11-23 13:01:00: nobody, no_eligible_staff" in run("explain", "cb-1")
    assert "Decision d-1" in run("explain", "d-1")


def test_explain_an_undecided_callback(url: str) -> None:
    """A callback about which nothing was decided says so."""
    log = Log()
    log.add("booking.callbacks", "callback.requested", callback())
    fill(url, log)
    assert "Nothing was decided about it yet." in run("explain", "cb-1")


def test_explain_a_bulk_decision(url: str) -> None:
    """The summary of a bulk command tells how many were assigned."""
    log = Log()
    bulk = {
        "decision_id": "d-9",
        "company_id": "co-1",
        "caused_by": "c-1",
        "command_id": "c-1",
        "decided_at": decision()["decided_at"],
        "basis": {},
        "total": 5,
        "assigned": 3,
        "failed": 2,
    }
    log.add("assignment.decisions", "callback.bulk_assigned", bulk)
    fill(url, log)
    assert "3 of 5 assigned, 2 not" in run("explain", "d-9")


def test_an_id_of_several_companies(url: str) -> None:
    """Where several companies have the id, the user is asked for the company."""
    log = story()
    log.add("booking.callbacks", "callback.requested", callback(company_id="co-2"))
    fill(url, log)
    with pytest.raises(UserError, match="co-1, co-2: say which one with --company"):
        run("explain", "cb-1")
    assert "Callback cb-1 of company co-2" in run("explain", "cb-1", "--company", "co-2")


def test_an_unknown_id(url: str) -> None:
    """An id that nobody has is told in one line."""
    fill(url, story())
    with pytest.raises(UserError, match="no decision, callback or notification cb-9 in the database") as refused:
        run("explain", "cb-9")
    assert refused.value.exit_code == 1


def test_names_are_shown_as_they_are(url: str) -> None:
    """A name with brackets is no markup."""
    log = Log()
    log.add("assignment.decisions", "callback.auto_assigned", decision(staff_name="[red]Anna[/red]"))
    fill(url, log)
    assert "[red]Anna[/red]" in run("explain", "cb-1")


@pytest.mark.parametrize("url", ["postgresql://h:notaport/db", "nonsense", "postgresql+nodriver://h/db"])
def test_a_url_that_is_none(url: str) -> None:
    """A database URL that cannot be used is one line with an example."""
    with pytest.raises(UserError, match=r"STAFFETTA_DATABASE_URL: .*example: ") as refused:
        create_engine(url)
    assert refused.value.exit_code == 2
