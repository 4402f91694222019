"""Each notification reaches its person once, on one of four channels, or somebody knows why not."""

import random
from collections import Counter
from pathlib import Path

import pytest

from schemas.event_types import OUTCOMES, RECEIPTS, REQUESTS
from streams.audit import Log
from streams.kafka import DevKafka
from tests.e2e.delivery_load import MAILS
from tests.e2e.mixed_faults import PROTOCOLS, MixedFaults
from tests.e2e.mixed_load import MixedLoad
from tests.e2e.secrets import KEYS, PASSWORD, disclosed, left_behind, of_the_customers, of_the_settings
from tests.e2e.system import system
from tests.e2e.test_deliveries import SCHEDULE, given_up, requested
from tests.support.postgres import Postgres

GIVEN_UP = {"dead_address", "rejected", "unconfirmed", "unsubscribed", "opted_out"}
"""What the faults leave no other way out of, on the last channel of the chain."""
TOO_LATE = "None suppressed too_late"
"""A reminder whose appointment had begun when `notify` was there again."""


@pytest.mark.timeout(600)
def test_none_lost_none_doubled(broker: DevKafka, postgres: Postgres, tmp_path: Path, rng: random.Random) -> None:
    """Of two thousand notifications by mail, SMS, WhatsApp and push, while the roles on their way are killed and
    paused, the broker dies, providers are away, throttle, fail, answer too late or not at all, and their receipts
    come twice, too early, too late, in any order or say that it failed: none is lost, and by no provider and by
    none after another is any accepted twice, except where it was unconfirmed or had failed on its way. And nothing
    that is written meanwhile discloses a key, a password, an address or a text."""
    with (
        postgres.database() as url,
        system(
            broker.bootstrap,
            tmp_path,
            with_providers=True,
            mail_password=PASSWORD,
            database_url=url,
            retry_schedule_seconds=SCHEDULE,
            **KEYS,
        ) as made,
    ):
        load = MixedLoad(made, rng)
        load.open()
        load.start()
        faults = MixedFaults(made, rng, broker)
        faults.inject(faults.plan())
        faults.settle()
        load.finish()
        log, partitions = made.check(), made.settings.partitions
        counts = made.providers.simulator.world.counts
        secrets = {**of_the_settings(made.settings), **of_the_customers(log, partitions)}
        assert disclosed(secrets, left_behind(made, log)) == []
        asked = [(REQUESTS, (entry.value or b"").decode()) for entry in log[REQUESTS]]
        assert len(disclosed(secrets, asked)) == 3, (
            "addresses, keys and texts are found where they are meant to be"
        )
    requests, reasons = requested(log, partitions), given_up(log, partitions)
    kinds = tally(log)
    print(f"{dict(faults.done)}\n{dict(kinds)}\ndead letters: {dict(reasons)}\nproviders: {dict(counts)}")
    assert faults.done.total() == 20
    assert len(requests) + kinds[TOO_LATE] == load.told >= MAILS
    assert set(reasons) <= GIVEN_UP
    for protocol in PROTOCOLS:
        assert all(counts[protocol, kind] for kind in ("accept", "refuse", "error", "slow", "cut"))
    for told in ("sms delivered", "whatsapp delivered read", "push sent", "email sent"):
        assert kinds[told]
    assert any(told.startswith("sms unconfirmed") for told in kinds)
    assert any(entry.event["type"] == "address.opted_out" for entry in log[RECEIPTS])


def tally(log: Log) -> Counter[str]:
    """How often each thing was told."""
    counts: Counter[str] = Counter()
    for entry in log[OUTCOMES]:
        event = entry.event
        kind, reason = event["type"].removeprefix("notification."), event["data"].get("reason")
        counts[f"{event['data'].get('channel')} {kind}" + (f" {reason}" if reason else "")] += 1
    return counts
