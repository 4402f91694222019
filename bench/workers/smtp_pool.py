"""The yardsticks of delivery: a pool of aiosmtplib connections, and nothing around it.

No Kafka, no intents, no outcomes. `ready` sends bytes that were made beforehand; `message` makes an `EmailMessage`
of each mail's contents on the way.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from pathlib import Path

import orjson
import uvloop
from aiosmtplib import SMTP

from bench.job import Job
from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName
from sinks.channels.base import Message
from sinks.channels.smtp.composing import Composer, mailbox

SENDER = "post@bench.example"
MAILS = "mails.jsonl"
"""A file in the job's folder: what to send, one event a line."""
Made = tuple[str, Callable[[], bytes]]
"""(recipient, how the mail is made)"""


def ready(due: AttemptDue) -> Made:
    message, recipient = _message(due), mailbox(due.recipient.email or "") or ""
    content = Composer(f"Staffetta <{SENDER}>").compose(message, recipient)
    return recipient, lambda: content


def message(due: AttemptDue) -> Made:
    made = _message(due)
    return made.address, lambda: _email_message(made)


WAYS: dict[str, Callable[[AttemptDue], Made]] = {"ready": ready, "message": message}


def _message(due: AttemptDue) -> Message:
    content = due.contents[ChannelName.EMAIL]
    return Message(
        company_id=due.company_id,
        notification_id=due.notification_id,
        address=due.recipient.email or "",
        name=due.recipient.name,
        subject=content.subject or "",
        body_text=content.body_text,
        body_html=content.body_html,
        sender_name=due.sender_name,
        reply_to=due.reply_to,
        calendar=content.calendar,
        composed_at=due.due_at,
    )


def _email_message(made: Message) -> bytes:
    mail = EmailMessage(policy=WIRE)
    mail["From"] = f"{made.sender_name or 'Staffetta'} <{SENDER}>"
    mail["To"] = f"{made.name} <{made.address}>"
    mail["Subject"] = made.subject
    mail["Date"] = format_datetime(made.composed_at)
    mail["Message-ID"] = f"<{made.notification_id}@bench.example>"
    mail.set_content(made.body_text)
    if made.body_html is not None:
        mail.add_alternative(made.body_html, subtype="html")
    if made.calendar is not None:
        mail.add_alternative(made.calendar, subtype="calendar")
    return mail.as_bytes()


def _attempts(file: Path) -> Iterator[AttemptDue]:
    for line in file.read_bytes().splitlines():
        yield AttemptDue.model_validate_json(orjson.dumps(orjson.loads(line)["data"]))


async def _send(mails: Iterator[Made], port: int) -> None:
    smtp = SMTP(hostname="127.0.0.1", port=port, start_tls=False, local_hostname="bench.example")
    async with smtp:
        for recipient, make in mails:
            await smtp.sendmail(SENDER, [recipient], make())


async def main(job: Job, way: Callable[[AttemptDue], Made]) -> None:
    mails = iter([way(due) for due in _attempts(Path(job.folder) / MAILS)])
    await asyncio.gather(*(_send(mails, job.smtp_port) for _ in range(job.connections)))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(Job.given(), WAYS[sys.argv[1]]))
