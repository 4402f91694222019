"""How one of several eligible people is chosen: a strategy ranks them, the smallest rank is taken.

A strategy is one file with one function, and one line here.
"""

from collections.abc import Callable
from typing import Any

from schemas.reasons import Strategy
from streams.policy.assignment.strategies.load_based import load_based
from streams.policy.assignment.strategies.round_robin import round_robin

Rank = Callable[[int, int, str], tuple[Any, ...]]
"""(load, turn, staff id) -> what people are sorted by, the staff id at its end, so that no two ranks are equal."""

STRATEGIES: dict[str, Rank] = {
    Strategy.ROUND_ROBIN: round_robin,
    Strategy.LOAD_BASED: load_based,
}
DEFAULT_STRATEGY: str = Strategy.LOAD_BASED
"""Where neither the command nor the branch names one."""
