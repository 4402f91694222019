"""What is over is remembered for a while, so that what comes late is recognised, and then forgotten.

The time is that of the company's records: before a record is applied, everything goes whose time is up at its
timestamp. So what is remembered is a function of the order of the records, whenever the rows are looked at.
"""

from heapq import heappop, heappush

from streams.policy.assignment import rows
from streams.policy.assignment.moments import DAY
from streams.policy.assignment.rows import CallbackRow
from streams.state import State

COMMANDS_KEPT = 14 * DAY
CLOSED_KEPT = 30 * DAY
"""Of closed callbacks and tombstones, from their last event."""


class Memory:
    """Of one company: when which row goes. An entry is a hint, the row says whether its time is really up."""

    def __init__(self, company_id: str, state: State) -> None:
        self._company_id = company_id
        self._state = state
        self._ends: list[tuple[int, str, str]] = []
        for key, value in state.rows(rows.COMMANDS, company_id).items():
            heappush(self._ends, (int.from_bytes(value, signed=True) + COMMANDS_KEPT, rows.COMMANDS, key))

    def keep_callback(self, callback_id: str, row: CallbackRow) -> None:
        heappush(self._ends, (row.at + CLOSED_KEPT, rows.CALLBACKS, callback_id))

    def keep_entity(self, key: str, at: int) -> None:
        heappush(self._ends, (at + CLOSED_KEPT, rows.DIRECTORY, key))

    def has_command(self, source: str, command_id: str) -> bool:
        return self._state.get(rows.COMMANDS, self._company_id, _command_key(source, command_id)) is not None

    def keep_command(self, source: str, command_id: str, at: int) -> None:
        key = _command_key(source, command_id)
        self._state.put(rows.COMMANDS, self._company_id, key, at.to_bytes(8, signed=True))
        heappush(self._ends, (at + COMMANDS_KEPT, rows.COMMANDS, key))

    def forget(self, at: int) -> None:
        """Remove what is over at `at`."""
        while self._ends and self._ends[0][0] <= at:
            _, table, key = heappop(self._ends)
            value = self._state.get(table, self._company_id, key)
            if value is not None and self._is_over(table, key, value, at):
                self._state.delete(table, self._company_id, key)

    def _is_over(self, table: str, key: str, value: bytes, at: int) -> bool:
        if table == rows.COMMANDS:
            return int.from_bytes(value, signed=True) + COMMANDS_KEPT <= at
        if table == rows.CALLBACKS:
            callback = rows.decode_callback(value)
            return callback.closed and callback.at + CLOSED_KEPT <= at
        entity = _entity(key, value)
        return entity.deleted and entity.at + CLOSED_KEPT <= at


def _command_key(source: str, command_id: str) -> str:
    """Neither holds U+0000, which the codec refuses."""
    return f"{source}\0{command_id}"


def _entity(key: str, value: bytes) -> rows.StaffRow | rows.BranchRow | rows.CompanyRow:
    if key.startswith("staff/"):
        return rows.decode_staff(value)
    return rows.decode_branch(value) if key.startswith("branch/") else rows.decode_company(value)
