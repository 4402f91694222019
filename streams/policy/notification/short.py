"""Messages for phones, as Jinja sources made of a `Text`: a few lines that say who writes, and what."""

from streams.policy.notification.texts.wording import Language, Link, Sources, Text

WHO = (
    "{% if company_name and branch_name and company_name != branch_name %}{{ company_name }}, {{ branch_name }}: "
    "{% elif company_name or branch_name %}{{ company_name or branch_name }}: {% endif %}"
)
"""The company and its branch, once if both have the same name."""


def sms(text: Text, audience: str, language: Language) -> Sources:
    """One paragraph, with the main link or else a number to call."""
    return Sources(None, f"{WHO}{text.brief}{_tail(text, audience, language)}")


def push(text: Text, audience: str, language: Language) -> Sources:
    """The heading as its title. Who taps on it comes to the app, so there are no links."""
    return Sources(text.heading, f"{WHO}{text.brief}")


def whatsapp(text: Text, audience: str, language: Language) -> Sources:
    """A short letter."""
    links = [language.links[name] for name in text.links]
    place = language.rows["place"]
    body = f"{language.greetings[audience]}\n\n{text.brief}\n"
    if audience == "customer":
        body += f"{{% if {place.given} %}}\n{place.label}: {place.value}\n{{% endif %}}"
    if links:
        given = " or ".join(link.given for link in links)
        body += f"{{% if {given} %}}\n{''.join(_line(link) for link in links)}{{% endif %}}"
    return Sources(None, f"{body}\n{language.sign_off[audience]}")


def _line(link: Link) -> str:
    return f"{{% if {link.given} %}}{link.label}: {{{{ {link.given} }}}}\n{{% endif %}}"


def _tail(text: Text, audience: str, language: Language) -> str:
    phone = language.rows["phone"]
    choices = [language.links[name] for name in text.links]
    choices += [Link(phone.given, phone.label)] if audience == "customer" else []
    if not choices:
        return ""
    shown = "{% elif ".join(f"{each.given} %}} {each.label}: {{{{ {each.given} }}}}" for each in choices)
    return f"{{% if {shown}{{% endif %}}"
