"""Counting, and many processes' metrics as one page."""

from collections import Counter

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams import metrics
from streams.supervisor.merge import merge


def test_counted_is_added() -> None:
    """What a step counted is added to the metric of that name and those labels, again and again."""
    key = ("staffetta_decisions_total", "callback.waiting", "no_eligible_staff")
    labels = {"type": key[1], "reason": key[2]}
    before = metrics.REGISTRY.get_sample_value(key[0], labels) or 0
    metrics.add(Counter({key: 3}))
    metrics.add(Counter({key: 2}))
    assert metrics.REGISTRY.get_sample_value(key[0], labels) == before + 5


def test_an_undeclared_metric_is_a_fault() -> None:
    """Counting under a name that is not declared fails, so that no figure is lost unseen."""
    with pytest.raises(KeyError):
        metrics.add({("staffetta_decission_total", "a", "b"): 1})


ASSIGN = """\
# HELP staffetta_intake_total Records read.
# TYPE staffetta_intake_total counter
staffetta_intake_total{topic="booking.callbacks",result="applied"} 3.0
# HELP staffetta_batch_seconds Batches.
# TYPE staffetta_batch_seconds histogram
staffetta_batch_seconds_bucket{le="0.1"} 1.0
staffetta_batch_seconds_bucket{le="+Inf"} 2.0
staffetta_batch_seconds_count 2.0
staffetta_batch_seconds_sum 0.5
"""
NOTIFY = """\
# HELP staffetta_intake_total Records read.
# TYPE staffetta_intake_total counter
staffetta_intake_total{topic="say \\"hi\\"\\n",result="applied"} 4.0
"""


def test_merged_metrics() -> None:
    """Every role's samples are there under its name, a metric is declared once, and nothing else changes."""
    own = CollectorRegistry()
    Gauge("staffetta_role_up", "Up.", ["role"], registry=own).labels("assign").set(1)
    text = merge(own, {"assign": ASSIGN, "notify": NOTIFY}).decode()
    assert text.count("# TYPE staffetta_intake_total counter") == 1
    samples = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }

    def labels(**given: str) -> frozenset[tuple[str, str]]:
        return frozenset(given.items())

    intake = "staffetta_intake_total"
    assert samples == {
        ("staffetta_role_up", labels(role="assign")): 1,
        (intake, labels(topic="booking.callbacks", result="applied", role="assign")): 3,
        (intake, labels(topic='say "hi"\n', result="applied", role="notify")): 4,
        ("staffetta_batch_seconds_bucket", labels(le="0.1", role="assign")): 1,
        ("staffetta_batch_seconds_bucket", labels(le="+Inf", role="assign")): 2,
        ("staffetta_batch_seconds_count", labels(role="assign")): 2,
        ("staffetta_batch_seconds_sum", labels(role="assign")): 0.5,
    }


def test_all_declared_metrics_merge() -> None:
    """What the roles really expose can be merged."""
    metrics.BATCH_SECONDS.observe(0.1)
    text = generate_latest(metrics.REGISTRY).decode()
    merged = merge(metrics.SUPERVISOR_REGISTRY, {"assign": text, "record": text}).decode()
    for role in ("assign", "record"):
        assert f'staffetta_batch_records_bucket{{le="+Inf",role="{role}"}}' in merged
        assert f'process_resident_memory_bytes{{role="{role}"}}' in merged
