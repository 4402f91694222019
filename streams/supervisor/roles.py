"""The roles that a worker can run."""

from enum import StrEnum


class RoleName(StrEnum):
    ASSIGN = "assign"
    NOTIFY = "notify"
    DELIVER = "deliver"
    RETRY = "retry"
    RECORD = "record"
