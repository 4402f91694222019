"""How commands that run until they are told to stop hear of it."""

import signal


def end_on_signals() -> None:
    """SIGINT and SIGTERM become KeyboardInterrupt; SIGINT even where a script has started this with `&`, and so
    with SIGINT ignored."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
