"""What whole systems share."""

from collections.abc import Iterator

import pytest

from streams.kafka import DevKafka
from tests.support.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server that tests may stop, if they start it again."""
    with Postgres() as server:
        server.start()
        yield server


@pytest.fixture
def broker() -> Iterator[DevKafka]:
    """One that may be killed."""
    with DevKafka() as broker:
        yield broker
