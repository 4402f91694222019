"""The channels: each a file, and a line here."""

from collections.abc import Callable

from schemas.reasons import ChannelName
from sinks.channels.base import Channel
from sinks.channels.email import Email
from streams.settings import Settings

CHANNELS: dict[ChannelName, Callable[[Settings], Channel]] = {
    ChannelName.EMAIL: Email.from_settings,
}
