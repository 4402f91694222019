"""How it stands with a notification, in one sentence."""

from collections.abc import Callable

from sinks.database.questions import Fields
from sinks.database.stories import DELIVERED, Story
from streams.cli.layout import utc_time


def standing(story: Story) -> str:
    """Of the outcome that came last, and what is to be expected."""
    told = _SAYS[story.notification["status"]](story)
    return f"{told}."


def _requested(story: Story) -> str:
    return f"Asked for at {utc_time(story.notification['requested_at'])}; nothing is told of an attempt yet"


def _sent(story: Story) -> str:
    row = story.notification
    provider = story.outcomes[-1]["provider"] if story.outcomes else None
    return (
        f"Handed over by {row['channel']} at {utc_time(row['status_at'])}{_after(story)}: "
        f"{provider or 'the provider'} has accepted it, and nothing is told of it since"
    )


def _delivered(story: Story) -> str:
    row = story.notification
    how = "Read" if row["reason"] == "read" else "Delivered"
    return f"{how}, by {row['channel']}, at {utc_time(row['status_at'])}{_after(story)}"


def _retrying(story: Story) -> str:
    row = story.notification
    return (
        f"On its way: {row['channel']} failed for now ({row['reason']}), attempt {row['attempt'] + 1} {_due(row)}"
    )


def _fell_back(story: Story) -> str:
    following = next_channel(story)
    return f"On its way{_after(story)}: {following or 'the next channel'} comes next"


def _unconfirmed(story: Story) -> str:
    row = story.notification
    then = f"it {_due(row)} once more" if row["next_attempt_at"] else "it is not repeated by itself"
    doubt = f"attempt {row['attempt']} by {row['channel']} may have arrived ({row['reason']})"
    return f"In doubt: {doubt}; unless a receipt tells more, {then}"


def _failed(story: Story) -> str:
    """A failure after the delivery was told is no more than that: nothing is sent again for it."""
    row, letter = story.notification, story.letter
    if any(each["type"] == DELIVERED for each in story.rounds[-1]):
        return f"Said to have failed at {utc_time(row['status_at'])} ({row['reason']}), after it was delivered"
    told = f"Given up at {utc_time(row['status_at'])}, by {row['channel']} ({row['reason']}){_after(story)}"
    if letter is not None and (letter["redriven"] or 0) > letter["redrive"]:
        return f"{told}; sent again at {utc_time(letter['redriven_at'])}, and nothing is told of that yet"
    return told


def _suppressed(story: Story) -> str:
    row = story.notification
    return f"Not sent, on purpose, as was decided at {utc_time(row['status_at'])}: {row['reason']}"


_SAYS: dict[str, Callable[[Story], str]] = {
    "requested": _requested,
    "sent": _sent,
    "delivered": _delivered,
    "retrying": _retrying,
    "fell_back": _fell_back,
    "unconfirmed": _unconfirmed,
    "failed": _failed,
    "suppressed": _suppressed,
}


def next_channel(story: Story) -> str | None:
    """What the chain has after the channel of the last outcome, but for those that cannot be used."""
    row = story.notification
    chain, skipped = row["channels"] or [], {each["channel"] for each in row["skipped"] or []}
    rest = chain[chain.index(row["channel"]) + 1 :] if row["channel"] in chain else []
    return next((channel for channel in rest if channel not in skipped), None)


def _after(story: Story) -> str:
    """The channels that it was not to be by, of the last round."""
    told = story.rounds[-1] if story.rounds else []
    before = [f"{each['channel']} ({each['reason']})" for each in told if each["type"] == "notification.fell_back"]
    return f", after {' and '.join(before)}" if before else ""


def _due(row: Fields) -> str:
    due = row["next_attempt_at"]
    return f"is due at {utc_time(due)}" if due is not None else "will come too late"
