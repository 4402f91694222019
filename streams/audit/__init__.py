"""The guarantees, checked from the topics by a reader that shares nothing with the workers but schemas and policy.

`examine` says what is wrong with a log: what was lost, what was doubled, and what is there but should not be, or
not so. It works on records that were read, so it can be given any log, a broken one too.
"""

from streams.audit.examining import examine
from streams.audit.findings import Finding, Kind
from streams.audit.reading import Entry, Log
from streams.audit.settling import read_settled

__all__ = ["Entry", "Finding", "Kind", "Log", "examine", "read_settled"]
