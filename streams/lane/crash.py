"""Crash-only: in doubt, end the process. The supervisor starts it again, and recovery is the one error path."""

import logging
import os
import sys
import traceback
from typing import NoReturn

CRASHED = 70
"""Exit status after any failure in the lane (EX_SOFTWARE): start again."""
FENCED = 75
"""Exit status when another process uses the same static member id: starting again would fence that one."""

log = logging.getLogger("staffetta.lane")


def end_process(why: str, error: BaseException | None = None, status: int = CRASHED) -> NoReturn:
    """Say why and end, at once: no destructor, no flush to Kafka, nothing that could still write."""
    detail = f": {type(error).__name__}: {error}" if error is not None else ""
    log.critical("the lane ends this process: %s%s", why, detail)
    if error is not None:
        traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()
    os._exit(status)
