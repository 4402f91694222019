"""Errors that a person can mend: shown as one line, without a traceback."""


class UserError(Exception):
    """Something is missing, wrong or in the way; the message says what, and what to do about it.

    `exit_code` is 1 when the work failed and 2 when the call or a setting was wrong.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
