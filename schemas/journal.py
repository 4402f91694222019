"""The order in which `assign` applied its inputs, so that it can be replayed."""

from schemas.base import Model, Natural, Several, Text


class AssignmentApplied(Model):
    """One batch of a partition: (input topic, next offset), in the order of application."""

    partition: Natural
    applied: Several[tuple[Text, Natural]]
