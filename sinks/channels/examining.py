"""Asking a provider how our account stands, without sending anything to anybody."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from sinks.channels.answers import Answer
from sinks.channels.http import Http
from streams.errors import UserError
from streams.policy.delivery.results import AccountWide, Permanent, Result, Transient, Unconfirmed

Examination = Callable[[], Awaitable[str]]
"""What was found, in words. Raises UserError with what is wrong and what to do about it; neither has a secret."""


class Provider(NamedTuple):
    """`account`: the settings that say which account it is and prove it; `base_url`: where it is asked."""

    name: str
    account: str
    base_url: str

    def problem(self, said: Result, advice: str = "") -> UserError:
        """What to do where that was said, in place of a good answer; `advice` if not to correct the account."""
        why = said.error if isinstance(said, Transient | Permanent | Unconfirmed) else "not asked"
        if isinstance(said, AccountWide | Permanent):
            return UserError(f"{self.name} refuses the account ({why}): {advice or f'correct {self.account}'}")
        return UserError(f"{self.name} cannot be asked ({why}): see {self.base_url}, or try again later")

    def elsewhere(self) -> UserError:
        """A good answer that names another account, or none."""
        return UserError(f"what answers is not {self.name}, or knows another account: see {self.base_url}")


async def looked_up(
    http: Http,
    url: str,
    authorization: Mapping[str, str],
    provider: Provider,
    refused: Callable[[Answer], Result],
) -> dict[str, Any]:
    """The object at `url`; `refused` judges an answer that is an error. Raises UserError."""
    said = await http.get(url, authorization)
    if not isinstance(said, Answer):
        raise provider.problem(said)
    if not said.is_success:
        raise provider.problem(refused(said))
    return said.json()
