"""The protocols that are spoken: each a file, and a line here."""

from streams.simulator.protocols import twilio, whatsapp
from streams.simulator.protocols.base import Protocol

PROTOCOLS: dict[str, Protocol] = {
    twilio.NAME: twilio.PROTOCOL,
    whatsapp.NAME: whatsapp.PROTOCOL,
}
