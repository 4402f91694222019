"""Which of the fetched records `notify` takes next: those of the directory, and then some of each topic.

So a mass on one topic, such as the requests of another system, keeps no cancellation waiting. The directory goes
first, for what is told should be told by the configurations and texts of its time: whoever passed it would find
none, and tell nobody.
"""

from schemas.event_types import APPOINTMENTS, CALLBACKS, DECISIONS, DIRECTORY, REQUESTS
from streams.batch import Fetched, Runs
from streams.policy.notification.notifier import TOPICS

AT_ONCE = 200
"""Few enough that a mass of changes to one company does not keep a cancellation waiting."""
SHARING = (DECISIONS, CALLBACKS, APPOINTMENTS, REQUESTS)
"""Not the timers: a reminder may follow what can still change it."""


def pick(fetched: Fetched, limit: int) -> Runs:
    limit = min(limit, AT_ONCE)
    runs = fetched.take(limit, (DIRECTORY,))
    limit -= sum(len(records) for _, records in runs)
    shares = {topic: min(limit // len(SHARING), len(fetched.waiting(topic))) for topic in SHARING}
    spare = limit - sum(shares.values())
    for topic in TOPICS[1:]:
        share = shares.get(topic, 0)
        room = min(share + spare, len(fetched.waiting(topic)))
        runs += fetched.take(room, (topic,))
        spare -= room - share
    return runs
