"""The protocols that are spoken: each a file, and a line here."""

from streams.simulator.protocols import fcm, twilio, webpush, whatsapp
from streams.simulator.protocols.base import Protocol

PROTOCOLS: dict[str, Protocol] = {
    twilio.NAME: twilio.PROTOCOL,
    whatsapp.NAME: whatsapp.PROTOCOL,
    fcm.NAME: fcm.PROTOCOL,
    webpush.NAME: webpush.PROTOCOL,
}
