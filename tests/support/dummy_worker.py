"""A real supervisor over dummy roles: `python -m tests.support.dummy_worker FOLDER ROLE…`."""

import asyncio
import sys

from streams.errors import UserError
from streams.logs import configure_logging
from streams.settings import load_settings
from streams.supervisor.backoff import Backoff
from streams.supervisor.roles import RoleName
from streams.supervisor.supervisor import Supervision, supervise

if __name__ == "__main__":
    folder, *roles = sys.argv[1:]
    configure_logging("info", "json", "supervisor")
    how = Supervision(
        command=lambda role: [sys.executable, "-m", "tests.support.dummy_role", folder, role],
        backoff=lambda: Backoff(first_seconds=0.05, well_seconds=60),
        stop_seconds=3,
    )
    try:
        asyncio.run(supervise(load_settings(), [RoleName(role) for role in roles], how))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
