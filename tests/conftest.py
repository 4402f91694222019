"""One real broker for the whole run, topics of its own for each test, and a seed that repeats a run."""

import os
import random
from collections.abc import Iterator

import hypothesis
import pytest

from streams.kafka import DevKafka
from tests.support.kafka import KafkaSpace, kafka_space

SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
os.environ["SEED"] = str(SEED)  # the same for the processes that share the run
GIVEN_BROKERS = os.environ.get("STAFFETTA_BROKERS")

hypothesis.settings.register_profile("shared-cores", deadline=None)
hypothesis.settings.load_profile("shared-cores")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("hypothesis_seed") is None:
        config.option.hypothesis_seed = SEED


def pytest_report_header() -> str:
    return f"seed: {SEED} (repeat with SEED={SEED})"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.TESTS_FAILED:
        terminalreporter.write_line(f"Repeat this run's random choices with SEED={SEED}")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Random choices that depend on SEED and the test, not on which tests ran before."""
    return random.Random(f"{SEED}/{request.node.nodeid}")


@pytest.fixture(scope="session")
def bootstrap() -> Iterator[str]:
    """A cluster all tests share: that of STAFFETTA_BROKERS, else one broker started here.

    A test that stops or kills brokers starts its own `DevKafka`.
    """
    if GIVEN_BROKERS:
        yield GIVEN_BROKERS
    else:
        with DevKafka() as kafka:
            yield kafka.bootstrap


@pytest.fixture
def kafka(bootstrap: str) -> Iterator[KafkaSpace]:
    """Topics of this test alone, deleted afterwards."""
    with kafka_space(bootstrap) as space:
        yield space
