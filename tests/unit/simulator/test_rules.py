"""By which rules faults come."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.simulator.faults import Fault, Kind, Limit, Per, Rule, Rules

CUT, ERROR = Fault(kind=Kind.CUT), Fault(kind=Kind.ERROR)


def ask(rules: Rules, recipient: str = "+49151", now: float = 0.0, **call: str) -> Kind:
    asked = {"protocol": "twilio", "sender": "+4930", "template": "", **call}
    return rules.fault(recipient=recipient, now=now, **asked).kind


def struck(rules: Rules, calls: int, **call: Any) -> list[int]:
    """The numbers, from 1, of the calls for which a fault came."""
    return [number for number in range(1, calls + 1) if ask(rules, **call) is not Kind.ACCEPT]


def rules_of(*rules: Rule, seed: int = 0) -> Rules:
    made = Rules(seed)
    for rule in rules:
        made.add(rule)
    return made


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, [3]),
        ({"every": 2}, [2, 4, 6]),
        ({"times": 2}, [1, 2]),
        ({"every": 2, "times": 2}, [2, 4]),
        ({"rate": 0.0}, []),
        ({"rate": 1.0}, [1, 2, 3, 4, 5, 6]),
        ({"protocol": "whatsapp"}, []),
        ({"protocol": "twilio"}, [1, 2, 3, 4, 5, 6]),
        ({"recipient": "+4915*"}, [1, 2, 3, 4, 5, 6]),
        ({"recipient": "+4916*"}, []),
        ({"template": "reminder"}, []),
        ({"over": Limit(calls=2, seconds=10)}, [3, 4, 5, 6]),
    ],
)
def test_which_calls(choice: dict[str, Any], expected: list[int]) -> None:
    """A rule comes for the calls that it chooses, counted among those that it could be about."""
    assert struck(rules_of(Rule(fault=CUT, **choice)), 6) == expected


def test_calls_of_others_do_not_count() -> None:
    """`nth` counts the calls that match, not all."""
    rules = rules_of(Rule(fault=CUT, nth=2, recipient="+1*"))
    assert [ask(rules, recipient) for recipient in ("+1", "+49", "+49", "+1", "+1")] == [
        Kind.ACCEPT,
        Kind.ACCEPT,
        Kind.ACCEPT,
        Kind.CUT,
        Kind.ACCEPT,
    ]


def test_a_paused_template() -> None:
    """One template can fail alone."""
    rules = rules_of(Rule(fault=ERROR, template="remind*"))
    assert ask(rules, template="reminder") is Kind.ERROR
    assert ask(rules, template="welcome") is Kind.ACCEPT


def test_the_first_decides() -> None:
    """Of two rules the first that strikes decides; taken away, the other does."""
    rules = Rules()
    first = rules.add(Rule(fault=CUT, every=2))
    rules.add(Rule(fault=ERROR))
    assert [ask(rules) for _ in range(3)] == [Kind.ERROR, Kind.CUT, Kind.ERROR]
    assert [(rule.fault.kind, times) for _, rule, times in rules] == [(Kind.CUT, 1), (Kind.ERROR, 2)]
    assert rules.remove(first)
    assert not rules.remove(first)
    assert ask(rules) is Kind.ERROR
    rules.clear()
    assert ask(rules) is Kind.ACCEPT


@pytest.mark.parametrize(("per", "others"), [(Per.RECIPIENT, Kind.ACCEPT), (Per.SENDER, Kind.ERROR)])
def test_throttling(per: Per, others: Kind) -> None:
    """So many calls within so many seconds, for each recipient or for our whole number; then it is over."""
    rules = rules_of(Rule(fault=ERROR, over=Limit(calls=2, seconds=6, per=per)))
    assert [ask(rules, now=second) for second in (0.0, 1.0, 2.0)] == [Kind.ACCEPT, Kind.ACCEPT, Kind.ERROR]
    assert ask(rules, recipient="+49160", now=3.0) is others
    assert ask(rules, now=5.9) is Kind.ERROR
    assert ask(rules, now=6.0) is Kind.ACCEPT


@given(seed=st.integers(0, 2**32), rate=st.floats(0, 1))
def test_a_seed_repeats_itself(seed: int, rate: float) -> None:
    """The same seed and calls give the same faults."""
    first, second = (rules_of(Rule(fault=CUT, rate=rate), seed=seed) for _ in range(2))
    assert struck(first, 50) == struck(second, 50)


def test_rate() -> None:
    """A rate is that share of the calls, about."""
    assert 400 < len(struck(rules_of(Rule(fault=CUT, rate=0.25), seed=7), 2000)) < 600
