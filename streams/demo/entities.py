"""Entities of the demo's world, as they stand, and the events of what happens to them."""

from dataclasses import dataclass
from typing import Any

Happened = tuple[str, dict[str, Any]]
"""(event type, data)"""


@dataclass(slots=True)
class Entity:
    """Something with a version; `event` is the next thing that happens to it."""

    company_id: str
    kind: str
    data: dict[str, Any]
    version: int = 0

    def event(self, type: str, **changes: Any) -> Happened:
        """Its next version."""
        self.version += 1
        self.data.update(changes)
        return type, {"company_id": self.company_id, "version": self.version, **self.data}
