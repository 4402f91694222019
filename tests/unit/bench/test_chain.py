"""The chain that the role's benchmark plays."""

from itertools import islice

from bench.alone import Alone
from bench.growth import build, steady
from bench.loads.chain import Chain, Shape

SMALL = Shape(companies=5, waiting=10)


def test_the_same_seed_plays_the_same_day() -> None:
    """Two benchmarks with the same seed measure the same events; another seed gives others."""
    one, two, other = (Chain(SMALL, seed) for seed in (7, 7, 8))
    days = [[*chain.before(), *chain.events(200)] for chain in (one, two, other)]
    assert days[0] == days[1] != days[2]


def test_every_event_of_the_day_can_be_applied() -> None:
    """What is measured is decisions, not dead letters: every event is applied, and many lead to a decision."""
    chain = Chain(SMALL)
    alone = Alone(2, chain.origin)
    alone.apply(chain.before())
    alone.apply(chain.events(2000))
    intake = {names[-1] for names in alone.counted if names[0] == "staffetta_intake_total"}
    assigned = sum(number for names, number in alone.counted.items() if "callback.auto_assigned" in names)
    assert intake == {"applied"}
    assert assigned > 500


def test_a_steady_state_stays_as_it_is() -> None:
    """While cost is measured against open callbacks, their number does not change."""
    chain, alone = build(SMALL, given=100)
    before = sum(len(company.fresh) for company in chain.companies)
    alone.apply(islice(steady(chain), 500))
    assert sum(len(company.fresh) for company in chain.companies) == before == 100
