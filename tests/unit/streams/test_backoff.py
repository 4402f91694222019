"""Delays before a role is started again."""

from streams.supervisor.backoff import Backoff


def test_doubles_up_to_the_most() -> None:
    """Short runs one after another are answered by delays that double, up to a limit."""
    backoff = Backoff(first_seconds=1, most_seconds=5, well_seconds=10)
    assert [backoff.after(0.1) for _ in range(5)] == [1, 2, 4, 5, 5]


def test_starts_anew_after_a_good_run() -> None:
    """After a run that was long enough, the next crash counts as the first."""
    backoff = Backoff(first_seconds=1, most_seconds=5, well_seconds=10)
    for _ in range(3):
        backoff.after(0.1)
    assert backoff.after(9.9) == 5
    assert backoff.after(10) == 1
    assert backoff.after(0) == 2
