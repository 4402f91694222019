"""Each notification reaches its person once, or somebody knows why not, whatever happens on its way."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import pytest

from schemas.event_types import DEAD_LETTERS, REQUESTS
from schemas.notifications import DeadLetter, NotificationRequest
from streams.audit import Log
from streams.audit.reading import readable
from streams.audit.stories import Key, Ledger, Story
from tests.e2e.delivery_faults import DeliveryFaults
from tests.e2e.delivery_load import MAILS, MailLoad
from tests.e2e.system import system
from tests.support.postgres import Postgres
from tests.support.smtp import Mail

SCHEDULE = "1,1,2,4,8"
"""Outlasts the server's absence, so that nothing is given up for it."""
GIVEN_UP = {"rejected", "unconfirmed"}
"""What the faults leave no other way out of: refused for good, or unknown twice."""
Requests = dict[Key, NotificationRequest]


@pytest.mark.timeout(600)
def test_none_lost_none_doubled(bootstrap: str, postgres: Postgres, tmp_path: Path, rng: random.Random) -> None:
    """Of two thousand notifications, while the roles on their way are killed, paused beyond their sessions and
    rebalanced, the mail server goes away and drops connections after the final dot, and single mails are refused
    for now and for good: none is lost, and none is accepted twice, except where it was unconfirmed, and then as
    the same mail to the last byte. Every reminder that falls due meanwhile is asked for once."""
    with (
        postgres.database() as url,
        system(bootstrap, tmp_path, database_url=url, retry_schedule_seconds=SCHEDULE) as made,
    ):
        load = MailLoad(made, rng)
        load.open()
        faults = DeliveryFaults(made, rng)
        faults.wait_until_ready()
        load.start()
        faults.inject(faults.plan())
        faults.settle()
        load.finish()
        log, mails, partitions = made.check(), made.box.mails, made.settings.partitions
    requests, stories = requested(log, partitions), Ledger.of(log, partitions).stories
    arrived = copies(mails, requests)
    reasons = given_up(log, partitions)
    print(f"{dict(faults.done)}\n{dict(tally(requests, stories, arrived))}\ndead letters: {dict(reasons)}")
    assert faults.done.total() == 20
    assert len(requests) == load.told >= MAILS
    for key in requests:
        check(key, stories[key], arrived[key])
    assert set(reasons) <= GIVEN_UP
    reminders = (key for key, request in requests.items() if request.event_type == "appointment.reminder")
    assert Counter((requests[key].company_id, requests[key].entity.id) for key in reminders) == load.reminded
    assert any(len(each) > 1 for each in arrived.values())


def check(key: Key, story: Story, arrived: list[Mail]) -> None:
    """By what the server has, beside what the audit has asked already."""
    what = f"{key}: {len(arrived)} x accepted, {story.unconfirmed} x unconfirmed, {story.ends}"
    assert arrived or not story.is_sent, f"lost: {what}"
    assert len(story.ends) == 1, f"without an end: {what}"
    assert len(arrived) <= 1 + story.unconfirmed, f"doubled: {what}"
    assert len({mail.content for mail in arrived}) <= 1, f"not the same mail: {what}"


def requested(log: Log, partitions: int) -> Requests:
    requests = (cast(NotificationRequest, event.data) for _, event in readable(log, REQUESTS, partitions))
    return {(each.company_id, each.notification_id): each for each in requests}


def copies(mails: Iterable[Mail], requests: Requests) -> dict[Key, list[Mail]]:
    """Notification -> the mails that came of it, told by address and subject: none has another's."""
    keys = {(each.recipient.email, each.contents["email"].subject): key for key, each in requests.items()}
    assert len(keys) == len(requests)
    arrived: dict[Key, list[Mail]] = defaultdict(list)
    for mail in mails:
        arrived[keys[mail.recipient, str(mail.parsed["Subject"])]].append(mail)
    return arrived


def given_up(log: Log, partitions: int) -> Counter[str]:
    """Reason -> how many dead letters."""
    letters = (cast(DeadLetter, event.data) for _, event in readable(log, DEAD_LETTERS, partitions))
    return Counter(str(letter.reason) for letter in letters)


def tally(requests: Requests, stories: dict[Key, Story], arrived: dict[Key, list[Mail]]) -> Counter[str]:
    """How often each thing happened."""
    counts = Counter({"requested": len(requests)})
    for key in requests:
        counts[f"accepted {len(arrived[key])} times"] += 1
        counts["unconfirmed"] += bool(stories[key].unconfirmed)
        counts.update(stories[key].ends)
    return counts
