"""The shape shared by all mails: Jinja sources made of a `Text`, once as plain text and once as HTML.

The HTML is for mail clients as they are: tables for the layout, every style inline, no images, nothing fetched,
contrast of at least 4.5 : 1, a language and a heading for screen readers.
"""

from html import escape

from streams.policy.notification.texts.wording import Language, Sources, Text, Tone

EDGES: dict[Tone, str] = {"good": "#1f7a5c", "changed": "#b45f06", "ended": "#a8323e", "call": "#2b5fa8"}
FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
INK, FAINT, PAPER, GROUND, LINE = "#1f2a2e", "#5b676c", "#ffffff", "#f2f4f3", "#e1e6e4"
LAYOUT_TABLE = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
CARD = f"max-width:560px;background:{PAPER};border:1px solid {LINE};border-radius:10px;{FONT};color:{INK}"
TABLE = f"margin:0 0 4px;border-top:1px solid {LINE};border-bottom:1px solid {LINE};font-size:15px;line-height:1.4"
LABEL = f"padding:8px 16px 8px 0;font-weight:400;color:{FAINT};white-space:nowrap"
VALUE = "padding:8px 0;font-weight:600;word-break:break-word"


def mail(text: Text, audience: str, language: Language) -> Sources:
    return Sources(text.subject, plain(text, audience, language), html(text, audience, language))


def plain(text: Text, audience: str, language: Language) -> str:
    """The source of the text part: paragraphs apart by an empty line, one detail a line."""
    rows, links = [language.rows[name] for name in text.rows], [language.links[name] for name in text.links]
    return "\n".join(
        (
            f"{language.greetings[audience]}\n\n{text.opening}",
            _block([row.given for row in rows], [f"{row.label}: {row.value}" for row in rows])
            + _block([link.given for link in links], [f"{link.label}: {{{{ {link.given} }}}}" for link in links])
            + (f"\n{text.closing}\n" if text.closing else ""),
            f"{language.sign_off[audience]}\n\n{language.notice}\n",
        )
    )


def _block(given: list[str], lines: list[str]) -> str:
    """A paragraph of those lines whose placeholder has a value; nothing at all if none has."""
    shown = (f"{{% if {name} %}}{line}\n{{% endif %}}" for name, line in zip(given, lines, strict=True))
    return _if_any(given, "\n" + "".join(shown)) if given else ""


def html(text: Text, audience: str, language: Language) -> str:
    """The source of the HTML part; values are escaped where they are filled in."""
    edge = EDGES[text.tone]
    company = f'<p style="margin:0 0 8px;font-size:14px;color:{FAINT}">{{{{ company_name }}}}</p>\n'
    return f"""<!doctype html>
<html lang="{language.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{_marked(text.subject)}</title>
</head>
<body style="margin:0;padding:0;background:{GROUND}">
{LAYOUT_TABLE} style="background:{GROUND}">
<tr><td align="center" style="padding:32px 12px">
{LAYOUT_TABLE} align="center" style="{CARD};text-align:left">
<tr><td style="height:6px;line-height:6px;font-size:0;background:{edge};border-radius:9px 9px 0 0">&nbsp;</td></tr>
<tr><td style="padding:28px 32px 32px;font-size:16px;line-height:1.5">
{_if_any(["company_name"], company)}\
<h1 style="margin:0 0 20px;font-size:24px;line-height:1.25;font-weight:600">{_marked(text.heading)}</h1>
<p style="margin:0 0 12px">{_marked(language.greetings[audience])}</p>
<p style="margin:0 0 20px">{_marked(text.opening)}</p>
{_details(text, language)}{_buttons(text, language, edge)}{_closing(text)}\
<p style="margin:24px 0 0">{_marked(language.sign_off[audience])}</p>
</td></tr>
</table>
<p style="margin:16px 0 0;{FONT};font-size:12px;line-height:1.5;color:{FAINT}">{_marked(language.notice)}</p>
</td></tr>
</table>
</body>
</html>
"""


def _details(text: Text, language: Language) -> str:
    rows = [language.rows[name] for name in text.rows]
    lines = "".join(
        f"{{% if {row.given} %}}<tr>"
        f'<th scope="row" align="left" valign="top" style="{LABEL}">{escape(row.label)}</th>'
        f'<td valign="top" width="100%" style="{VALUE}">{_marked(row.value)}</td></tr>\n{{% endif %}}'
        for row in rows
    )
    table = f'<table width="100%" cellpadding="0" cellspacing="0" border="0" style="{TABLE}">\n{lines}</table>\n'
    return _if_any([row.given for row in rows], table)


def _buttons(text: Text, language: Language, edge: str) -> str:
    """The first link filled, the others outlined."""
    if not text.links:
        return ""
    links = [language.links[name] for name in text.links]
    buttons = "".join(
        f'{{% if {link.given} %}}<a href="{{{{ {link.given} }}}}" style="display:inline-block;margin:12px 8px 0 0;'
        f"padding:10px 18px;border:1px solid {edge};border-radius:6px;font-size:15px;font-weight:600;"
        f'text-decoration:none;{fill}">{escape(link.label)}</a>\n{{% endif %}}'
        for link, fill in zip(links, _fills(edge, len(links)), strict=True)
    )
    paragraph = f'<p style="margin:8px 0 0">\n{buttons}</p>\n'
    return _if_any([link.given for link in links], paragraph)


def _fills(edge: str, count: int) -> list[str]:
    outlined = f"background:{PAPER};color:{edge}"
    return [f"background:{edge};color:{PAPER}", *[outlined] * (count - 1)]


def _closing(text: Text) -> str:
    return f'<p style="margin:20px 0 0">{_marked(text.closing)}</p>\n' if text.closing else ""


def _if_any(placeholders: list[str], source: str) -> str:
    return f"{{% if {' or '.join(placeholders)} %}}{source}{{% endif %}}"


def _marked(source: str) -> str:
    """The constant parts of a template as HTML; its placeholders and conditions stay as they are."""
    return escape(source, quote=False).replace("\n", "<br>\n")
