"""Mails: what the mail server took over is what the outcomes say, and as often as they allow."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import cast

from schemas.notifications import Outcome
from streams.audit.findings import Finding, doubled, lost, wrong
from streams.audit.series import SENT
from streams.audit.stories import Key, Ledger

_ESCAPED = re.compile(r"=([0-9A-F]{2})")


def check(accepted: Mapping[str, int], ledger: Ledger) -> Iterator[Finding]:
    """`accepted`: Message-ID -> how often a server took it over."""
    arrived: dict[Key, int] = defaultdict(int)
    for message_id, times in accepted.items():
        key = _key(message_id)
        if key not in ledger.stories:
            yield wrong(f"{message_id} arrived, but nobody had asked for it")
        else:
            arrived[key] += times
    for key, story in ledger.stories.items():
        _, notification_id = key
        for event in story.outcomes:
            its_id = cast(Outcome, event.data).provider_message_id
            if event.type == SENT and its_id not in accepted:
                yield lost(f"{notification_id} is said to be sent, but {its_id} never arrived")
        if arrived[key] > 1 + story.unconfirmed:
            yield doubled(f"{notification_id} arrived {arrived[key]} times, {story.unconfirmed} times unconfirmed")
        if arrived[key] and not story.is_sent and not story.unconfirmed:
            yield wrong(f"{notification_id} arrived, but its outcome is {', '.join(story.ends) or 'missing'}")


def _key(message_id: str) -> Key:
    """`<notification.company@domain>`, what is no plain character escaped as in quoted-printable."""
    local = message_id.strip("<>").rpartition("@")[0]
    notification_id, _, company_id = local.partition(".")
    return _plain(company_id), _plain(notification_id)


def _plain(escaped: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), escaped)
