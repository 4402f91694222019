"""The person with the smallest load; of several the one whose turn is the longest ago."""


def load_based(load: int, turn: int, staff_id: str) -> tuple[int, int, str]:
    return load, turn, staff_id
