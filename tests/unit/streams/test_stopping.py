"""How long a worker waits for its roles when it stops."""

import asyncio

import pytest

from streams.settings import Settings
from streams.supervisor import supervisor


@pytest.mark.parametrize(("provider", "session"), [(10, 10), (30, 10), (1, 60)])
def test_it_waits_for_longer_than_a_role_may_take(
    monkeypatch: pytest.MonkeyPatch, provider: float, session: float
) -> None:
    """Roles that finish what they are sending are not killed before the time that each is given for it."""
    waited: list[float] = []

    async def end_at_once(_processes: object, stop_seconds: float) -> None:
        waited.append(stop_seconds)

    monkeypatch.setattr(supervisor, "_until_the_end", end_at_once)
    settings = Settings(web_port=0, provider_timeout_seconds=provider, session_timeout_seconds=session)
    asyncio.run(supervisor.supervise(settings, []))
    assert settings.let_go_seconds >= max(2 * provider, 0.8 * session)
    assert waited[0] >= settings.let_go_seconds + 2
