"""Which of the fetched records `notify` takes next: some of each topic, and at least half from the directory.

So a mass on one topic, such as a directory that is sent again, keeps no cancellation waiting. What is told should
be told by the configurations and texts of its time, so the directory has whatever the others do not need, and
nothing passes it while it is far behind: a role that is new, or was off, first learns how to tell.
"""

from schemas.event_types import APPOINTMENTS, CALLBACKS, DECISIONS, DIRECTORY, REQUESTS
from streams.batch import Fetched, Runs
from streams.policy.notification.notifier import TOPICS

AT_ONCE = 200
"""Few enough that a mass of changes to one company does not keep a cancellation waiting."""
SHARING = (DECISIONS, CALLBACKS, APPOINTMENTS, REQUESTS)
"""Not the timers: a reminder may follow what can still change it."""
FAR_BEHIND_SECONDS = 300


def pick(fetched: Fetched, limit: int, now: float) -> Runs:
    limit = min(limit, AT_ONCE)
    oldest = next(iter(fetched.waiting(DIRECTORY)), None)
    if oldest is not None and now - oldest.timestamp / 1000 > FAR_BEHIND_SECONDS:
        return fetched.take(limit)
    shares = {topic: min(limit // 2 // len(SHARING), len(fetched.waiting(topic))) for topic in SHARING}
    spare = limit - sum(shares.values())
    runs: Runs = []
    for topic in TOPICS:
        share = shares.get(topic, 0)
        room = min(share + spare, len(fetched.waiting(topic)))
        runs += fetched.take(room, (topic,))
        spare -= room - share
    return runs
