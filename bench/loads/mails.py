"""Mails and SMS about appointments, as `notify` writes them: from a clinic's events to what `deliver` reads."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from agents.notify import Notify
from bench.job import Job
from bench.kafka import Made
from schemas import CONTENT_TYPE_HEADER, encode
from schemas.event_types import APPOINTMENTS, DIRECTORY, REQUESTS
from schemas.reasons import ChannelName
from streams.app import ROLES
from streams.batch import Batch
from streams.lane.records import FetchedRecord
from streams.state import State
from streams.topics import wanted_topics

LADDER = (1, 10, 60, 300, 900, 3600)
PRIORITIES = {"appointment.created": "", "appointment.cancelled": ".high"}
"""Event type -> how the topics end in which its notifications wait."""
SOURCE = "/bench/booking"


class Clinics:
    """Companies `co-0`, `co-1`, ..., each of whose customers has one appointment. See `bench.kafka.Load`."""

    answers = "delivery.outcomes"
    origin = 0.0

    def __init__(
        self, inputs: Sequence[str], companies: int, first: int = 0, channel: ChannelName = ChannelName.EMAIL
    ) -> None:
        """`inputs`: of what `deliver` is given to read, that by which its progress is told. `first`: the number of
        the first company."""
        self.inputs = inputs
        self.companies = [f"co-{number}" for number in range(first, first + companies)]
        self._channel = channel
        self._numbers = count(1)

    def group(self, job: Job) -> str:
        return f"{job.prefix}staffetta-deliver"

    def topics(self, job: Job) -> list[str]:
        return [job.prefix + spec.name for spec in wanted_topics(ROLES, LADDER)]

    def before(self) -> Iterator[Made]:
        """The directory."""
        for company in self.companies:
            yield self._made(
                company, "company.upserted", name="Praxis am Markt", locale="de", timezone="Europe/Berlin"
            )
            branch = {"branch_id": "br-1", "name": "Filiale Mitte", "timezone": "Europe/Berlin"}
            yield self._made(company, "branch.upserted", **branch, auto_assign=False, strategy="round_robin")
            yield self._made(
                company, "service.upserted", service_id="sv-1", name="Erstgespräch", duration_minutes=45
            )
            for event_type in PRIORITIES:
                yield self._made(
                    company, "notification_config.upserted", **self._configuration(company, event_type)
                )

    def appointment(self, company: str, event_type: str, domain: str) -> Made:
        """`id` of what is made is the address of the customer."""
        number, now = next(self._numbers), datetime.now(UTC)
        address = f"kunde{number}@{domain}"
        customer = {
            "customer_id": f"cu-{number}",
            "name": "Erika Müller-Beispiel",
            "email": address,
            "phone": phone(number),
        }
        made = self._made(
            company,
            event_type,
            appointment_id=f"ap-{number}",
            branch_id="br-1",
            service_id="sv-1",
            customer=customer,
            starts_at=(now + timedelta(days=2)).isoformat(),
            duration_minutes=45,
            status="cancelled" if event_type.endswith("cancelled") else "booked",
        )
        return made._replace(id=address)

    def attempts(self, number: int, event_type: str, domain: str) -> list[Made]:
        """So many first attempts, companies in turns, ready to be written where `deliver` reads them."""
        events = [
            self.appointment(self.companies[at % len(self.companies)], event_type, domain) for at in range(number)
        ]
        topic = f"delivery.{self._channel}{PRIORITIES[event_type]}"
        return [made for made in _notified([*self.before(), *events]) if made.topic == topic]

    def events(self, count: int) -> Iterator[Made]:
        raise NotImplementedError("what `deliver` reads is written by `attempts`")

    def caused_by(self, answer: bytes) -> str:
        raise NotImplementedError("what was delivered is known to the mail server")

    def _configuration(self, company: str, event_type: str) -> dict[str, Any]:
        return {
            "config_id": f"cf-{event_type}",
            "level": "company",
            "level_id": company,
            "event_type": event_type,
            "channel": self._channel,
            "fallback_channels": [],
            "is_enabled": True,
            "audience": "customer",
        }

    def _made(self, company: str, kind: str, /, **data: Any) -> Made:
        now = datetime.now(UTC)
        identity = f"ev-{next(self._numbers)}"
        value = encode(
            kind,
            id=identity,
            source=SOURCE,
            time=now,
            subject=None,
            company_id=company,
            data={"company_id": company, "version": 1, **data},
        )
        topic = APPOINTMENTS if kind.startswith("appointment.") else DIRECTORY
        return Made(topic, company.encode(), value, identity, int(now.timestamp() * 1000))


def phone(number: int) -> str:
    return f"+4915{number:09}"


def _notified(events: Iterable[Made]) -> Iterator[Made]:
    """What `notify` makes of them, its own requests read too."""
    role = Notify(
        partitions=1,
        recipient_hash_key=b"bench",
        retry_schedule_seconds=(60, 300, 900),
        smtp_from="post@bench.example",
    )
    state, offsets = State(0, Notify.tables), {topic: count() for topic in Notify.topics}
    role.recovered(state)
    for made in events:
        waiting = [made]
        while waiting:
            made = waiting.pop()
            headers = (CONTENT_TYPE_HEADER,)
            record = FetchedRecord(
                made.topic, 0, next(offsets[made.topic]), made.timestamp, made.key, made.value, headers
            )
            effects = role.step(Batch(state, [(made.topic, [record])], made.timestamp / 1000), state)
            state.committed()
            for output in effects.outputs:
                follows = Made(output.topic, output.key or b"", output.value, "", made.timestamp)
                if follows.topic == REQUESTS:
                    waiting.append(follows)
                else:
                    yield follows
