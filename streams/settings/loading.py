"""The settings of this process, or the reason why there are none."""

import os
import sys
from collections.abc import Collection

from pydantic import ValidationError

from streams.errors import UserError
from streams.settings import messages
from streams.settings.model import Settings
from streams.supervisor.link import VARIABLE as PARENT_VARIABLE

ACCOUNTS = (
    ("twilio_account_sid", "twilio_auth_token", "twilio_from"),
    ("whatsapp_phone_number_id", "whatsapp_token"),
    ("vapid_private_key", "vapid_subject"),
)
"""What a channel needs all of; without any of it the channel is not there."""


def load_settings(roles: Collection[str] = ()) -> Settings:
    """Read the environment, refuse what is wrong or, for those `roles`, missing.

    A process started by the supervisor says nothing about unknown variables: the supervisor has said it.
    Raises UserError with exit code 2.
    """
    try:
        if (problem := messages.unparsable()) is not None:
            raise UserError(problem, exit_code=2)
        settings = Settings()
    except ValidationError as error:
        raise UserError(messages.explain(error, Settings), exit_code=2) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the settings cannot be read: {error}", exit_code=2) from error
    lacking = missing(settings, roles)
    if lacking is not None:
        raise UserError(messages.required(*lacking, Settings), exit_code=2)
    if PARENT_VARIABLE not in os.environ:
        for warning in messages.unknown(Settings):
            print(warning, file=sys.stderr)
    return settings


def missing(settings: Settings, roles: Collection[str]) -> tuple[str, str] | None:
    """(field, why it is needed) of the first setting that is missing."""
    if settings.security_protocol.startswith("SASL"):
        for field in ("sasl_username", "sasl_password"):
            if getattr(settings, field) is None:
                return field, f"with STAFFETTA_SECURITY_PROTOCOL={settings.security_protocol}"
    for account in ACCOUNTS if "deliver" in roles else ():
        given = [field for field in account if getattr(settings, field) is not None]
        lacking = [field for field in account if field not in given]
        if given and lacking:
            return lacking[0], f"with {messages.variable(given[0])}"
    for role in ("notify", "deliver"):
        if role in roles and settings.recipient_hash_key is None:
            return "recipient_hash_key", f"by the role {role}"
    return None
