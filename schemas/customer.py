"""The customer as an event carries them."""

from typing import Annotated, Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from schemas.base import Id, Model, Text


class WebPushKeys(Model):
    p256dh: Text
    auth: Text


class WebPush(Model):
    endpoint: Text
    keys: WebPushKeys


class Push(Model):
    """Where a push message goes: a device token of FCM or a browser's subscription."""

    fcm_token: Text | None = None
    web_push: WebPush | None = None


def _none_if_malformed(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


PushAddress = Annotated[Push | None, WrapValidator(_none_if_malformed)]
"""A malformed subscription is no address; it does not refuse the event."""


class Customer(Model):
    """The customer of an appointment or callback.

    `email`, `phone`, `locale` and `timezone` stand here as received, since a bad address must not cost the event:
    ask `schemas.addresses` before using one, `schemas.base.is_zone` before computing with the zone.
    """

    customer_id: Id
    name: Text
    email: Text | None = None
    phone: Text | None = None
    push: PushAddress = None
    locale: Text | None = None
    timezone: Text | None = None
