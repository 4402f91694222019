"""The settings' credentials as Faust wants them, for its consumers; other clients need no Faust."""

import faust
from faust.types.auth import CredentialsT

from streams.settings import Settings


def faust_credentials(settings: Settings) -> CredentialsT | None:
    """None for a broker without TLS and log-in."""
    context = settings.ssl_context()
    if settings.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=settings.sasl_username,
            password=settings.sasl_password,
            ssl_context=context,
            mechanism=settings.sasl_mechanism,
        )
    return faust.SSLCredentials(context) if context else None
