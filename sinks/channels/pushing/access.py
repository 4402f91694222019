"""Access to Google's APIs: a token for a while, in return for an assertion that the service account signs.

https://developers.google.com/identity/protocols/oauth2/service-account#httprest (RFC 7523)
"""

import asyncio
import math
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from google.auth import crypt, jwt

from schemas.reasons import DeliveryReason
from sinks.channels.answers import NOT_OURS, THROTTLED, UNAVAILABLE, Answer, Meaning, cleaned, get, number
from sinks.channels.http import Http
from streams.policy.delivery.results import NotStarted, Result, Transient, Unconfirmed
from streams.push_keys import ServiceAccount

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 3600
"""Google takes no longer ones."""
PAUSE_SECONDS = 10.0
"""Between two tries to replace a token that is still good."""


class _Token(NamedTuple):
    text: str
    replace_at: float
    ends_at: float


class AccessTokens:
    """One token at a time, replaced in the background well before it ends; `monotonic` is its clock, `now` the
    one that Google shares."""

    def __init__(
        self,
        account: ServiceAccount,
        http: Http,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Raises ValueError if the account's key is none."""
        self._account = account
        self._signer = crypt.RSASigner.from_string(  # type: ignore[no-untyped-call]
            account.private_key, account.private_key_id
        )
        self._http = http
        self._monotonic = monotonic
        self._now = now
        self._token: _Token | None = None
        self._fetching: asyncio.Task[str | Result] | None = None
        self._pause_until = -math.inf

    async def token(self) -> str | Result:
        """A token that is good for a request, or why there is none: Transient or AccountWide.

        Whoever asks while there is none waits for the one request that is under way."""
        token, now = self._token, self._monotonic()
        if token is not None and now < token.ends_at:
            if now >= max(token.replace_at, self._pause_until):
                self._pause_until = now + PAUSE_SECONDS
                self._fetch()
            return token.text
        return await asyncio.shield(self._fetch())

    def refused(self, text: str) -> None:
        """That token is not taken any more: the next request is made with another one."""
        if self._token is not None and self._token.text == text:
            self._token = None

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _fetch(self) -> "asyncio.Task[str | Result]":
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetched())
        return self._fetching

    async def _fetched(self) -> str | Result:
        asked_at = self._monotonic()
        form = urlencode({"grant_type": GRANT_TYPE, "assertion": self._assertion()}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        said = await self._http.post(self._account.token_uri, form, headers, math.inf)
        if not isinstance(said, Answer):
            return _without_answer(said)
        text, seconds = get(said.json(), "access_token"), get(said.json(), "expires_in")
        if not said.is_success or not isinstance(text, str) or not text.isascii() or not text.isprintable():
            return _refusal(said)
        lifetime = number(seconds) or 0
        lifetime = min(lifetime, ASSERTION_SECONDS) if lifetime > 0 else ASSERTION_SECONDS
        self._token = _Token(text, asked_at + 0.75 * lifetime, asked_at + 0.95 * lifetime)
        return text

    def _assertion(self) -> str:
        issued_at = int(self._now())
        claims = {
            "iss": self._account.client_email,
            "scope": SCOPE,
            "aud": self._account.token_uri,
            "iat": issued_at,
            "exp": issued_at + ASSERTION_SECONDS,
        }
        encoded: bytes = jwt.encode(self._signer, claims)  # type: ignore[no-untyped-call]
        return encoded.decode()


def _without_answer(said: Transient | Unconfirmed | NotStarted) -> Result:
    """Of the message itself nothing was handed over, whatever became of the request for a token."""
    if isinstance(said, NotStarted):
        return said
    is_late = said.reason is DeliveryReason.TIMEOUT
    reason = said.reason if is_late or isinstance(said, Transient) else DeliveryReason.CONNECTION_FAILED
    return Transient(reason, f"no access token: {said.error}")


def _refusal(said: Answer) -> Result:
    content = said.json()
    code, words = get(content, "error"), get(content, "error_description")
    told = " ".join(str(each) for each in (code, words) if isinstance(each, str))
    error = f"no access token: HTTP {said.status} {cleaned(told)}".rstrip()
    return _meaning(said.status).of(error, said.retry_after_seconds())


def _meaning(status: int) -> Meaning:
    if status == 429:
        return THROTTLED
    return NOT_OURS if 400 <= status < 500 and status != 408 else UNAVAILABLE
