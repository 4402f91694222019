"""The socket pair between supervisor and child: one JSON object a line, from the child.

`{"port": 41234}` once its HTTP server listens; `{"failed": "…"}` before it gives up for a reason that a person
must mend. So what is said to the user is said by the supervisor, once, however many roles found it.
"""

import json
import os
import socket
from dataclasses import dataclass

VARIABLE = "STAFFETTA_INTERNAL_PARENT"
"""In the child's environment: the number of its inherited end."""


@dataclass(frozen=True, slots=True)
class Message:
    port: int | None = None
    failed: str | None = None

    def line(self) -> bytes:
        return json.dumps({"port": self.port, "failed": self.failed}).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> "Message":
        return cls(**json.loads(line))


def to_parent() -> socket.socket | None:
    """The child's end; None in a process that no supervisor started."""
    number = os.environ.get(VARIABLE)
    return socket.socket(fileno=os.dup(int(number))) if number else None


def tell(message: Message) -> bool:
    """Send to the supervisor; False if there is none."""
    link = to_parent()
    if link is None:
        return False
    with link:
        link.sendall(message.line())
    return True
