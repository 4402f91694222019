"""Every metric, declared once, with its type and its meaning.

Roles have one registry, the supervisor another. The supervisor adds the label `role` to what a role reports.
"""

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
SUPERVISOR_REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_QUICK = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_PATIENT = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)

# What the roles did. Incremented through `add`, once the transaction that did it is committed.
INTAKE = Counter(
    "staffetta_intake_total",
    "Records read, by what became of them: applied, duplicate, stale, ignored, dead_letter.",
    ["topic", "result"],
    registry=REGISTRY,
)
DECISIONS = Counter(
    "staffetta_decisions_total", "Assignment decisions written.", ["type", "reason"], registry=REGISTRY
)
OUTCOMES = Counter(
    "staffetta_outcomes_total",
    "Outcomes of notifications written, suppressions included.",
    ["channel", "type", "reason"],
    registry=REGISTRY,
)
DEAD_LETTERS = Counter(
    "staffetta_dead_letters_total", "Dead letters written.", ["topic", "reason"], registry=REGISTRY
)
HELD_BACK = Counter(
    "staffetta_held_back_total",
    "Attempts put off while the breaker is open, or the recipient gets no more yet; none was made, none is told.",
    ["channel"],
    registry=REGISTRY,
)
BREAKER_OPEN = Gauge(
    "staffetta_breaker_open",
    "1 while a channel is left alone after too many failures in a row, or because its account is refused.",
    ["channel"],
    registry=REGISTRY,
)
MESSAGES_WAITING = Gauge(
    "staffetta_messages_waiting",
    "Messages that were taken on and wait for a sending slot, their account's rate, or the grace of a doubt.",
    ["channel", "priority"],
    registry=REGISTRY,
)
EVENT_TO_OUTCOME = Histogram(
    "staffetta_event_to_outcome_seconds",
    "From the moment a message was due (that of its event, at first) to the provider's acceptance, by the clock.",
    ["channel"],
    buckets=_PATIENT,
    registry=REGISTRY,
)

ACCOUNT_REFUSED = Counter(
    "staffetta_account_refused_total",
    "Attempts that were refused for the account's sake: nothing goes out on the channel until somebody mends it.",
    ["channel", "reason"],
    registry=REGISTRY,
)

# The lane.
BATCH_RECORDS = Histogram(
    "staffetta_batch_records",
    "Records in a batch.",
    buckets=(0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
    registry=REGISTRY,
)
BATCH_SECONDS = Histogram(
    "staffetta_batch_seconds",
    "From forming a batch until it is committed.",
    buckets=_QUICK,
    registry=REGISTRY,
)
QUEUE_RECORDS = Gauge("staffetta_queue_records", "Records fetched and not yet applied.", registry=REGISTRY)
MISSED = Counter(
    "staffetta_records_missed_total",
    "Records that their topic's retention deleted before they were read.",
    ["topic"],
    registry=REGISTRY,
)
PARTITIONS_OWNED = Gauge(
    "staffetta_partitions_owned", "Partition numbers that this process has loaded.", registry=REGISTRY
)
RECOVERIES = Counter("staffetta_recoveries_total", "Recoveries: fencing, loading and seeking.", registry=REGISTRY)
LOAD_SECONDS = Histogram(
    "staffetta_load_seconds",
    "Loading the tables of the assigned partitions.",
    buckets=_PATIENT,
    registry=REGISTRY,
)

# The supervisor.
ROLE_UP = Gauge("staffetta_role_up", "1 when the role's process answers.", ["role"], registry=SUPERVISOR_REGISTRY)
ROLE_RESTARTS = Counter(
    "staffetta_role_restarts_total",
    "Restarts of a role's process after it ended by itself.",
    ["role"],
    registry=SUPERVISOR_REGISTRY,
)
WEBHOOK_REQUESTS = Counter(
    "staffetta_webhook_requests_total",
    "Requests of recipients and providers, by what became of them: written, ignored, wrong_signature, unreadable, "
    "not_written.",
    ["webhook", "result"],
    registry=SUPERVISOR_REGISTRY,
)

_COUNTED = {
    "staffetta_intake_total": INTAKE,
    "staffetta_decisions_total": DECISIONS,
    "staffetta_outcomes_total": OUTCOMES,
    "staffetta_dead_letters_total": DEAD_LETTERS,
    "staffetta_held_back_total": HELD_BACK,
}
_series: dict[tuple[str, ...], Counter] = {}


def add(counted: Mapping[tuple[str, ...], int]) -> None:
    """Increment the roles' counters by (metric name, label values...) -> increment."""
    for key, increment in counted.items():
        series = _series.get(key)
        if series is None:
            series = _series[key] = _COUNTED[key[0]].labels(*key[1:])
        series.inc(increment)
