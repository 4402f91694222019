"""A role that does nothing but what the file FOLDER/<role> says, with the real helpers of a supervised child.

`run`: be ready; `recover`: never be ready; `stubborn`: be ready and ignore SIGTERM; `exit N`; `fail N MESSAGE`.
Each start adds its process id to FOLDER/<role>.pids.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from streams import metrics
from streams.errors import UserError
from streams.supervisor import child


async def main(folder: Path, role: str) -> None:
    told = (folder / role).read_text().split(" ", 2)
    with (folder / f"{role}.pids").open("a") as pids:
        pids.write(f"{os.getpid()}\n")
    if told[0] == "exit":
        os._exit(int(told[1]))
    if told[0] == "fail":
        child.give_up(UserError(told[2], exit_code=int(told[1])))
    metrics.add({("staffetta_intake_total", "booking.callbacks", "applied"): 3})
    ended = asyncio.Event()
    leave = (lambda: None) if told[0] == "stubborn" else ended.set
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave)
    ready = child.Ready(told[0] != "recover", "running" if told[0] != "recover" else "recovering")
    await child.serve(lambda: ready)
    await ended.wait()
    (folder / f"{role}.left").touch()


if __name__ == "__main__":
    child.watch_parent()
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
