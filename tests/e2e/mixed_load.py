"""A standing load on all four channels: each company has chains of its own, and each customer every address."""

import random
from typing import Any

from tests.e2e.delivery_load import TOLD, Clinic, MailLoad
from tests.e2e.messages import configuration, opening
from tests.e2e.system import System
from tests.support.booking import Message, customer

RATE = 36.0
"""Events a second."""
CHAINS = (
    ("email", "sms", "push"),
    ("sms", "whatsapp"),
    ("whatsapp", "sms", "email"),
    ("push", "sms"),
    ("sms",),
    ("whatsapp", "push", "email"),
    ("push", "email"),
    ("email",),
)
"""The channel, and its fallbacks."""
COMPANIES = 6
NAMES, MAILBOXES, PHONES = "Geheim ", "@geheim.example", "+49151999"
TOKENS, BROWSERS = "geheimes-geraet-", "geheimer-browser-"
MARKS = (NAMES, MAILBOXES, PHONES.lstrip("+"), TOKENS, BROWSERS)
"""What is in every customer's name, and in every address."""


class MixedClinic(Clinic):
    def __init__(self, company_id: str, number: int, system: System, rng: random.Random) -> None:
        super().__init__(company_id, rng)
        self._number = number
        self._system = system

    def opens(self) -> list[Message]:
        chains = [CHAINS[(self._number + at) % len(CHAINS)] for at in range(len(TOLD) + 1)]
        reminded, told = chains[0], zip(TOLD, chains[1:], strict=True)
        return [
            *opening(self, told=()),
            *[self._chain(event_type, chain) for event_type, chain in told],
            self._chain("appointment.reminder", reminded, minutes_before=1),
        ]

    def _chain(self, event_type: str, chain: tuple[str, ...], **fields: Any) -> Message:
        channel, *fallbacks = chain
        return configuration(self, event_type, channel=channel, fallback_channels=fallbacks, **fields)

    def _customer(self, name: str) -> dict[str, Any]:
        """Half of them have an app, the others a browser."""
        if self._made % 2:
            push: dict[str, Any] = {"fcm_token": f"{TOKENS}{name}"}
        else:
            push = {"web_push": self._system.providers.browser(f"{BROWSERS}{name}")}
        return customer(
            customer_id=f"cu-{name}",
            name=f"{NAMES}{name}",
            email=f"{name}{MAILBOXES}",
            phone=f"{PHONES}{self._number}{self._made:05d}",
            push=push,
        )


class MixedLoad(MailLoad):
    def __init__(self, system: System, rng: random.Random) -> None:
        clinics = [MixedClinic(f"co-{number}", number, system, rng) for number in range(COMPANIES)]
        super().__init__(system, rng, RATE, clinics)
