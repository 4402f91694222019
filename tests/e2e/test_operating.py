"""What operators do to a system at work: tell its directory again, forget a customer, prune its database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.event_types import DECISIONS, DIRECTORY
from tests.e2e.messages import in_two_days, opening
from tests.e2e.system import System, system
from tests.support.booking import Booking, customer
from tests.support.databases import contents
from tests.support.waiting import wait_until


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path) as made:
        yield made


def test_the_directory_is_told_again(road: System) -> None:
    """The whole directory comes from the database into its topic again; who knows it changes nothing, and the
    next callback is assigned as if nothing had happened."""
    road.ready()
    salon = Booking("co-7")
    told = [*opening(salon, staff=2)]
    road.send(*told, salon.callback("cb-1"))
    road.check()
    known = contents(road.database)["entities"]
    done = road.staffetta("republish", "directory")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(told)} entities written to {road.settings.topic_prefix}{DIRECTORY}\n"
    road.send(salon.callback("cb-2"))
    log = road.check()
    assert len(log[DIRECTORY]) == 2 * len(told)
    assert contents(road.database)["entities"] == known
    assert sorted(entry.event["data"]["callback_id"] for entry in log[DECISIONS]) == ["cb-1", "cb-2"]
    assert len(road.box.mails) == 2

    nobody = road.staffetta("republish", "directory", "--company", "co-8")
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert nobody.stderr == "staffetta: the database has no directory of the company co-8\n"


def test_a_customer_is_forgotten(road: System) -> None:
    """After `customer.erased` no row of the database names the person, not even
    in what a colleague was told; a day is not pruned, nor what is open."""
    road.ready()
    salon = Booking("co-7")
    erika = customer(customer_id="cu-erika", name="Erika Muster", email="erika@kundin.example")
    for _ in ("her own", "the colleague's"):
        road.box.plan("RCPT", "550 5.7.1 erika@kundin.example is not wanted")
    road.send(*opening(salon), salon.appointment(starts_at=in_two_days(), customer=erika))
    road.send(salon.callback("cb-1", customer=erika))
    road.check()
    assert str(contents(road.database)["dead_letters"]).count("'body_text'") == 2
    road.send(salon.directory("customer.erased", "cu-erika", customer_id="cu-erika"))
    wait_until(lambda: "erased" in str(contents(road.database)["callbacks"]), "the erasure", 60)
    road.check()
    found = contents(road.database)
    assert "cu-erika" in str(found.pop("entities"))  # that she is to be forgotten, and nothing else of her
    assert "rika" not in str(found)

    pruned = road.staffetta("db", "prune", "--older-than", "1d")
    assert (pruned.returncode, pruned.stdout.partition(",")[0]) == (0, "0 rows deleted")
    refused = road.staffetta("db", "prune", "--older-than", "1h")
    assert refused.returncode == 2
    assert "say --yes" in refused.stderr
    assert road.staffetta("db", "prune", "--older-than", "0s", "--yes").returncode == 0
    left = contents(road.database)
    assert [row[0] for row in left["callbacks"]] == ["cb-1"]
    assert left["notifications"] == left["outcomes"] == left["dead_letters"] == []
