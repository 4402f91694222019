"""The channels: each a file, and a line here."""

from collections.abc import Callable, Mapping

from schemas.reasons import ChannelName
from sinks.channels.base import Examinable
from sinks.channels.email import Email
from sinks.channels.push import Push
from sinks.channels.twilio import Twilio
from sinks.channels.whatsapp import WhatsApp
from streams.settings import Settings

CHANNELS: dict[ChannelName, Callable[[Settings], Examinable | None]] = {
    ChannelName.EMAIL: Email.from_settings,
    ChannelName.SMS: Twilio.from_settings,
    ChannelName.WHATSAPP: WhatsApp.from_settings,
    ChannelName.PUSH: Push.from_settings,
}
"""None: the settings have no account for it."""


def open_channels(settings: Settings) -> Mapping[ChannelName, Examinable]:
    """The channels that are set up."""
    opened = ((name, open_channel(settings)) for name, open_channel in CHANNELS.items())
    return {name: channel for name, channel in opened if channel is not None}
