"""Many rows, some at a time: a statement has only so many parameters, and a letter may have a megabyte."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

PAGE = 500

T = TypeVar("T")


def pages(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + PAGE] for start in range(0, len(items), PAGE))
