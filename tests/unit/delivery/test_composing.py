"""The mail as bytes."""

import email
import email.policy
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sinks.channels.base import Message
from sinks.channels.smtp.composing import Composer, header_text, mailbox

SENDER = "Salon Beispiel <termine@example.org>"
MOMENT = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
german = st.text("äöüßÄÖÜ aeiou.,\n=?_-😀👩‍⚕️", max_size=3000)
bodies = text | german
names = text | st.text('äöü abc"\\<>@,;=?_\r\n\x00', max_size=80)


def message(**changes: object) -> Message:
    fields = {
        "company_id": "co-7",
        "notification_id": "n-1",
        "address": "anna@example.com",
        "name": "Anna Müller",
        "subject": "Ihr Termin",
        "body_text": "Guten Tag\n",
        "body_html": "<p>Guten Tag</p>\n",
        "composed_at": MOMENT,
    }
    return Message(**(fields | changes))  # type: ignore[arg-type]


def composed(mail: Message, sender: str = SENDER) -> tuple[bytes, EmailMessage]:
    recipient = mailbox(mail.address)
    assert recipient is not None
    content = Composer(sender).compose(mail, recipient)
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return content, parsed


def as_standard_library(mail: Message) -> EmailMessage:
    """What the standard library makes of the same message, through its own parser."""
    made = EmailMessage(policy=email.policy.SMTP)
    made["From"] = Address("Salon Beispiel", "termine", "example.org")
    made["To"] = Address(header_text(mail.name), addr_spec=mail.address)
    made["Subject"] = header_text(mail.subject)
    made["Date"] = mail.composed_at
    made["Message-ID"] = "<n-1.co-7@example.org>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(mail.body_text, cte="quoted-printable")
    if mail.body_html is not None:
        made.add_alternative(mail.body_html, subtype="html", cte="quoted-printable")
    if mail.calendar is not None:
        made.add_alternative(
            mail.calendar, subtype="calendar", cte="quoted-printable", params={"method": "CANCEL"}
        )
    parsed = email.message_from_bytes(made.as_bytes(), policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def addressee(content: bytes) -> tuple[str, str]:
    """Name and address of the recipient, read by the older parser: the newer one leaves a blank between two
    encoded words of a name, against RFC 2047."""
    name, address = parseaddr(email.message_from_bytes(content)["To"])
    return str(make_header(decode_header(name))), address


def lines(mail: EmailMessage, kind: str) -> list[str]:
    """The text of a part; what ends a line, and the end of the last one, is the transport's business."""
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def plain_lines(body: str) -> list[str]:
    return body.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


@given(subject=names, name=names, body=bodies, html=st.none() | bodies)
@example(subject="=?utf-8?q?x?=", name='A "B" \\ <c@d>', body=".\n..\nFrom me\n", html="x" * 3000)
@example(subject="ä" * 500, name="Größe " * 40, body="ü" * 2000 + " \n\t\n", html="<p>=20</p> ")
def test_parses_as_what_was_asked_for(subject: str, name: str, body: str, html: str | None) -> None:
    """Whatever the texts are, a mail program reads exactly them: umlauts, emoji, long lines, leading dots."""
    content, parsed = composed(message(subject=subject, name=name, body_text=body, body_html=html))
    assert parsed["Subject"] == header_text(subject)
    assert addressee(content) == (header_text(name), "anna@example.com")
    assert lines(parsed, "plain") == plain_lines(body)
    if html is None:
        assert parsed.get_body(("html",)) is None
    else:
        assert lines(parsed, "html") == plain_lines(html)
    assert not parsed.defects
    assert all(len(line) <= 998 and b"\r" not in line and b"\n" not in line for line in content.split(b"\r\n"))
    assert content.isascii()


def test_unsubscribe_link() -> None:
    """What can be unsubscribed says where, and that one click is enough if nobody can listen in."""
    _, parsed = composed(message(unsubscribe_url="https://example.org/unsubscribe/" + "x" * 300))
    assert parsed["List-Unsubscribe"].strip() == f"<https://example.org/unsubscribe/{'x' * 300}>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    _, parsed = composed(message(unsubscribe_url="http://localhost/unsubscribe/x"))
    assert parsed["List-Unsubscribe"].strip() == "<http://localhost/unsubscribe/x>"
    assert parsed["List-Unsubscribe-Post"] is None
    _, parsed = composed(message())
    assert parsed["List-Unsubscribe"] is None


def test_envelope_sender() -> None:
    """A bounce tells which mail it was, as long as that fits into an address; else it goes to the sender."""
    composer = Composer(SENDER, "bounces+{id}@example.org")
    assert composer.envelope_sender("co-7", "n:1") == "bounces+n=3A1.co-7@example.org"
    assert composer.envelope_sender("co-7", "n" * 60) == composer.sender
    assert Composer(SENDER).envelope_sender("co-7", "n-1") == composer.sender


printable = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), max_size=60)


@given(
    subject=printable.filter(lambda text: "=?" not in text),
    body=st.text("abcäöü😀=. \n", min_size=1, max_size=400),
    has_calendar=st.booleans(),
)
def test_parses_as_the_standard_librarys_mail(subject: str, body: str, has_calendar: bool) -> None:
    """The mail is the one that the standard library would have made, as its parser sees the two; a calendar is the
    last of the alternatives."""
    calendar = f"BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nX-NOTE:{body}\r\nEND:VCALENDAR\r\n" if has_calendar else None
    mail = message(subject=subject, body_text=body, body_html=f"<p>{body}</p>", calendar=calendar)
    (_, ours), theirs = composed(mail), as_standard_library(mail)
    for header in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"):
        assert ours[header] == theirs[header], header
    assert ours.get_content_type() == theirs.get_content_type() == "multipart/alternative"
    kinds = ["text/plain", "text/html", "text/calendar"][: 3 if has_calendar else 2]
    assert [part.get_content_type() for part in ours.iter_parts()] == kinds
    for kind in ("plain", "html"):
        assert lines(ours, kind) == lines(theirs, kind)
    for our, their in zip(ours.iter_parts(), theirs.iter_parts(), strict=True):
        assert plain_lines(our.get_content()) == plain_lines(their.get_content())
        assert our.get_params() == their.get_params()


@given(hostile=st.text("ab\r\n\x0b\x0c\x1c\x85\u2028: Bcc", max_size=40))
def test_no_text_becomes_a_header(hostile: str) -> None:
    """No name, subject, sender's name or reply address brings a header of its own into the mail."""
    injected = f"x{hostile}\r\nBcc: all@example.net\r\n\r\nbody"
    _, parsed = composed(message(subject=injected, name=injected, sender_name=injected, reply_to=injected))
    assert sorted(parsed.keys()) == sorted(composed(message())[1].keys())
    assert parsed["Bcc"] is None
    assert parsed["To"].addresses[0].addr_spec == "anna@example.com"
    assert lines(parsed, "plain") == ["Guten Tag"]


def test_headers_of_an_automatic_mail() -> None:
    """A mail says who sends it, that a machine does, when, under which id, and where answers go."""
    _, parsed = composed(message(sender_name="Salon Süd", reply_to="sued@example.org"))
    assert str(parsed["From"]) == "Salon Süd <termine@example.org>"
    assert parsed["Reply-To"] == "sued@example.org"
    assert parsed["Date"].datetime == MOMENT
    assert parsed["Message-ID"] == "<n-1.co-7@example.org>"
    assert parsed["Auto-Submitted"] == "auto-generated"


def test_reply_address_outside_ascii() -> None:
    """A reply address that only SMTPUTF8 can carry stands in mails that are sent so, and in no other."""
    content, parsed = composed(message(reply_to="süd@example.org"))
    assert content.isascii()
    assert parsed["Reply-To"] is None
    content, _ = composed(message(address="jürgen@example.com", reply_to="süd@example.org"))
    assert "Reply-To: süd@example.org" in content.decode()


def test_text_alone_is_no_alternative() -> None:
    """Without HTML the mail is plain text."""
    _, parsed = composed(message(body_html=None))
    assert parsed.get_content_type() == "text/plain"


def test_calendar_without_html() -> None:
    """A mail of text and calendar has the two as alternatives; the method stands in the part's head."""
    _, parsed = composed(
        message(body_html=None, calendar="BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n")
    )
    plain, calendar = parsed.iter_parts()
    assert (plain.get_content_type(), calendar.get_content_type()) == ("text/plain", "text/calendar")
    assert calendar.get_param("method") == "REQUEST"
    assert not parsed.defects


def test_no_calendar_becomes_a_header() -> None:
    """A method that is none is left out."""
    hostile = "BEGIN:VCALENDAR\r\nMETHOD:X; a=b\r\nMETHOD:\r\nBcc: all@example.net\r\n\r\nEND:VCALENDAR\r\n"
    _, parsed = composed(message(calendar=hostile))
    *_, calendar = parsed.iter_parts()
    assert calendar.get_params() == [("text/calendar", ""), ("charset", "utf-8")]
    assert calendar["Bcc"] is None
    assert parsed["Bcc"] is None


def test_message_id_is_one_per_notification_of_a_company() -> None:
    """Equal ids of two companies, and ids with colons or dots, make different and valid Message-IDs."""
    made = Composer(SENDER).message_id
    pairs = [
        ("co", "a.b"),
        ("co", "a:b"),
        ("co", "a=3Ab"),
        ("co.a", "b"),
        ("co", "a..b"),
        ("co2", "a.b"),
        ("b.co", "a"),
    ]
    ids = {made(company, notification) for company, notification in pairs}
    assert len(ids) == len(pairs)
    assert made("co", "a:.b") == "<a=3A=2Eb.co@example.org>"


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("anna@example.com", "anna@example.com"),
        ("anna@müller.example", "anna@xn--mller-kva.example"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),
        ("änna@example.com", "änna@example.com"),
        ("anna@example.com\r\nRCPT TO:<eve@example.net>", None),
        ("anna@example.com>", None),
        ("anna example.com", None),
        ("", None),
    ],
)
def test_addresses(address: str, taken: str | None) -> None:
    """A domain is written as the mail system knows it; what is no address is never handed to a server."""
    assert mailbox(address) == taken


@pytest.mark.parametrize("sender", ["", "Salon", "Salon <>", "a b@c"])
def test_sender_must_be_an_address(sender: str) -> None:
    """A sender that no server would take is refused when the channel is made, not with the first mail."""
    with pytest.raises(ValueError, match="not an e-mail address"):
        Composer(sender)
