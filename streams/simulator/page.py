"""What the simulated providers accepted, as a page for people: what has come to whose phone, app or browser."""

import time
from collections.abc import Callable
from html import escape

from aiohttp import web

from streams.simulator.world import Accepted, Call, World

MOST = 500
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Phones</title>
<style>
body {{ margin: 2rem; font: 15px/1.5 system-ui, sans-serif; color: #222; }}
table {{ border-collapse: collapse; }}
td, th {{ padding: .4rem .8rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }}
td {{ max-width: 40rem; overflow-wrap: anywhere; white-space: pre-line; }}
</style>
<h1>Phones</h1>
<p>{count} messages were accepted; the newest come first. <a href="/messages">All of them, with every field</a></p>
<table>
<tr><th>at<th>by<th>to<th>text
{rows}
</table>
</html>
"""

Words = Callable[[Call], str]


def page(world: World, words: Callable[[str], Words]) -> web.Response:
    """The newest messages; `words` gives, by a protocol's name, what a recipient reads."""
    newest = world.accepted[: -MOST - 1 : -1]
    rows = "\n".join(_row(message, words(message.call.protocol)) for message in newest)
    content = _PAGE.format(count=len(world.accepted), rows=rows)
    return web.Response(text=content, content_type="text/html")


def _row(message: Accepted, words: Words) -> str:
    call = message.call
    at = time.strftime("%H:%M:%S", time.localtime(message.at))
    return "<tr>" + "".join(f"<td>{escape(cell)}" for cell in (at, call.protocol, call.recipient, words(call)))
