"""What the world tells a worker by HTTP: checked, written to `delivery.receipts`, and only then answered."""

from typing import Protocol

from aiohttp import web

from streams.settings import Settings
from streams.webhooks.mail import Mail
from streams.webhooks.receipts import Receipts
from streams.webhooks.twilio import Twilio
from streams.webhooks.unsubscribing import Unsubscribing
from streams.webhooks.whatsapp import WhatsApp


class Webhook(Protocol):
    def __init__(self, settings: Settings, receipts: Receipts) -> None: ...

    def add_to(self, app: web.Application) -> None: ...


WEBHOOKS: dict[type[Webhook], tuple[str, ...]] = {
    Unsubscribing: ("recipient_hash_key",),
    Twilio: ("twilio_auth_token", "public_url"),
    WhatsApp: ("whatsapp_app_secret",),
    Mail: ("webhook_email_token",),
}
"""Each with the settings without which it could believe nobody, so that it is not there."""


def add_webhooks(app: web.Application, settings: Settings) -> None:
    receipts = Receipts(settings)
    for webhook, needed in WEBHOOKS.items():
        if all(getattr(settings, name) for name in needed):
            webhook(settings, receipts).add_to(app)
