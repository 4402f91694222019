"""The built-in texts: one module a language, one line here for each."""

from streams.policy.notification.texts.de import GERMAN
from streams.policy.notification.texts.en import ENGLISH
from streams.policy.notification.texts.wording import Language

LANGUAGES: dict[str, Language] = {"de": GERMAN, "en": ENGLISH}
DEFAULT_LOCALE = "de"
