"""Push to the apps of phones, by Firebase Cloud Messaging (HTTP v1).

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages, and .../rest/v1/ErrorCode
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import orjson

from schemas.notifications import Recipient
from schemas.push_addresses import usable_token
from schemas.reasons import DeliveryReason
from sinks.channels.answers import (
    DEAD,
    NOT_OURS,
    REJECTED,
    THROTTLED,
    UNAVAILABLE,
    Answer,
    Meaning,
    by_status,
    get,
    message_id,
)
from sinks.channels.base import Message
from sinks.channels.discretion import discreet
from sinks.channels.examining import Examination, Provider
from sinks.channels.http import Http
from sinks.channels.pushing import content
from sinks.channels.pushing.access import AccessTokens
from streams.policy.delivery.results import Accepted, Result, Unsendable
from streams.push_keys import ServiceAccount, parse_service_account
from streams.settings import Settings

MOST_BYTES = 4096
MEANINGS: dict[str, Meaning] = {
    "INVALID_ARGUMENT": REJECTED,
    "UNREGISTERED": DEAD,
    # The token is another project's. With the wrong service account that is every token, so none is given up.
    "SENDER_ID_MISMATCH": REJECTED,
    "THIRD_PARTY_AUTH_ERROR": NOT_OURS,
    "QUOTA_EXCEEDED": THROTTLED,
    "INTERNAL": UNAVAILABLE,
    "UNAVAILABLE": UNAVAILABLE,
}
"""By `errorCode`."""
LATER_SECONDS = {THROTTLED: 60.0, UNAVAILABLE: 10.0}
"""Where it does not say itself when to try again."""


PROVIDER = Provider(
    "Google", "STAFFETTA_FCM_CREDENTIALS, or this machine's clock", "the token_uri in STAFFETTA_FCM_CREDENTIALS"
)


class Fcm:
    """Sends to device tokens of one project, over at most `concurrency` connections."""

    recognises_repeats = True

    def __init__(
        self,
        base_url: str,
        account: ServiceAccount,
        *,
        concurrency: int,
        timeout_seconds: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._project_id = account.project_id
        self._url = f"{base_url}/v1/projects/{account.project_id}/messages:send"
        self._http = Http(concurrency=concurrency, timeout_seconds=timeout_seconds)
        self._access = AccessTokens(account, self._http)
        self._now = now

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        if settings.fcm_credentials is None:
            return None
        return cls(
            settings.fcm_base_url,
            parse_service_account(settings.fcm_credentials),
            concurrency=settings.push_concurrency,
            timeout_seconds=settings.provider_timeout_seconds,
        )

    def address(self, recipient: Recipient) -> str | None:
        return usable_token(recipient.push)

    async def send(self, message: Message, begin_before: float) -> Result:
        body = content.fitted(message, MOST_BYTES, lambda title, text: self._body(message, title, text))
        if body is None:
            return Unsendable(DeliveryReason.REJECTED, f"even without a text it has more than {MOST_BYTES} bytes")
        token = await self._access.token()
        if not isinstance(token, str):
            return token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=UTF-8"}
        said = await self._http.post(self._url, body, headers, begin_before)
        if not isinstance(said, Answer):
            return said
        return _accepted(said) if said.is_success else self._refused(said, message, token)

    def examinations(self) -> Mapping[str, Examination]:
        return {"fcm": self._examine}

    async def close(self) -> None:
        await self._access.close()
        await self._http.close()

    async def _examine(self) -> str:
        token = await self._access.token()
        if not isinstance(token, str):
            raise PROVIDER.problem(token)
        return f"Google gives access tokens for the project {self._project_id}"

    def _body(self, message: Message, title: str, text: str) -> bytes:
        collapse_key, ttl = message.notification_id, content.ttl_seconds(message)
        expires_at = int(self._now()) + ttl if ttl else 0
        headers = {"TTL": str(ttl), "Topic": content.topic(message), "Urgency": content.urgency(message)}
        shown = {"title": title, "body": text} if title else {"body": text}
        return orjson.dumps(
            {
                "message": {
                    "token": message.address,
                    "notification": shown,
                    "data": content.data(message),
                    "android": {"collapse_key": collapse_key, "ttl": f"{ttl}s"},
                    "apns": {"headers": {"apns-collapse-id": collapse_key, "apns-expiration": str(expires_at)}},
                    "webpush": {"headers": headers},
                }
            }
        )

    def _refused(self, said: Answer, message: Message, token: str) -> Result:
        error = get(said.json(), "error")
        code = _code(error)
        if said.status == 401 and code is None:
            self._access.refused(token)
        meaning = MEANINGS.get(code or "") or by_status(said.status, UNAVAILABLE)
        told = said.told(code or get(error, "status"), get(error, "message"))
        return meaning.of(discreet(told, message), _retry_after_seconds(said, meaning))


def _accepted(said: Answer) -> Result:
    name = message_id(get(said.json(), "name"))
    return said.unclear() if name is None else Accepted(name)


def _code(error: Any) -> str | None:
    """The first `errorCode` among the details that is known."""
    details = get(error, "details")
    codes = [get(each, "errorCode") for each in details] if isinstance(details, list) else []
    return next((code for code in codes if isinstance(code, str) and code in MEANINGS), None)


def _retry_after_seconds(said: Answer, meaning: Meaning) -> float | None:
    asked = said.retry_after_seconds()
    return LATER_SECONDS.get(meaning) if asked is None else asked
