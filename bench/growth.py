"""How the cost of an event grows with what there is: one figure for `Assign.step` alone, in a steady state.

As many callbacks are asked for as are done, so half of the events lead to a decision.
"""

import gc
import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from statistics import median
from typing import Any

from bench.alone import Alone
from bench.kafka import Made
from bench.loads.chain import Chain, Shape
from streams.lane.application import calm_collector

RUNS = 5


def staff(number: int) -> tuple[Shape, int]:
    """(shape, open callbacks): so many people in each of 30 branches, who have two callbacks each."""
    return Shape(companies=10, staff=number, limits=(None,)), 60 * number


def companies(number: int) -> tuple[Shape, int]:
    return Shape(companies=number, staff=4, waiting=2, limits=(None,)), 20 * number


def open_callbacks(number: int) -> tuple[Shape, int]:
    """In 200 companies of 24 people each. One in ten waits for a command."""
    return Shape(companies=200, waiting=number // 10 // 200, limits=(None,)), number - number // 10


def build(shape: Shape, given: int, partitions: int = 1) -> tuple[Chain, Alone]:
    """A chain with so many callbacks that are open and given to somebody, besides those that wait."""
    chain = Chain(shape)
    alone = Alone(partitions, chain.origin)
    alone.apply(chain.before())
    companies = chain.companies
    for start in range(0, given, 100_000):
        alone.apply(
            chain.request(companies[number % len(companies)])
            for number in range(start, min(given, start + 100_000))
        )
    return chain, alone


def cost(chain: Chain, alone: Alone, events: int) -> dict[str, Any]:
    """Microseconds of CPU per event."""
    calm_collector()
    going = steady(chain)
    alone.apply(islice(going, events))  # what is built when it is first needed
    runs = [alone.apply(list(islice(going, events))) / events * 1e6 for _ in range(RUNS)]
    gc.unfreeze()
    return {"median": round(median(runs), 1), "min": round(min(runs), 1), "max": round(max(runs), 1)}


def steady(chain: Chain) -> Iterator[Made]:
    rng = random.Random(11)
    while True:
        chain.now += timedelta(milliseconds=100)
        company = rng.choice(chain.companies)
        yield chain.request(company)
        yield chain.finish(company)
