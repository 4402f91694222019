"""Somebody has left: their open callbacks are given to others, in bulk order."""

from streams.policy.assignment.assigning import replace_leaver
from streams.policy.assignment.case import Case
from streams.policy.assignment.rows import CallbackRow
from streams.policy.assignment.tasks import Allowance


def hand_over(case: Case, leaver: str, allowance: Allowance) -> bool:
    """Whether all are decided; each that is has gone from what the leaver holds."""
    held: list[tuple[str, CallbackRow]] = []
    for callback_id in case.company.held.get(leaver, ()):
        row = case.company.callback(callback_id)
        assert row is not None
        held.append((callback_id, row))
    for callback_id, row in sorted(held, key=lambda one: one[1].rank(one[0])):
        if not allowance.take():
            return False
        replace_leaver(case, callback_id, row)
    return True
