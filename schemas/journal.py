"""The order in which `assign` applied its inputs, so that it can be replayed."""

from typing import NamedTuple

from schemas.base import Model, Natural, Several, Text


class NextOffset(NamedTuple):
    topic: Text
    next_offset: Natural


class AssignmentApplied(Model):
    """One batch: each input topic's next offset, in the order of application."""

    partition: Natural
    applied: Several[NextOffset]
