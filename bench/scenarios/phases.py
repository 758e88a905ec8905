"""The shapes a load can have, as phases of the measured time."""

from typing import NamedTuple


class Phase(NamedTuple):
    """since: the share of the time at which it begins. times: how many users, compared with those asked for."""

    since: float
    times: float
    name: str


SHAPES = {
    "steps": (
        Phase(0, 0.25, "a quarter"),
        Phase(0.25, 0.5, "half"),
        Phase(0.5, 0.75, "three quarters"),
        Phase(0.75, 1, "all"),
    ),
    "spike": (Phase(0, 1, "before the spike"), Phase(0.4, 3, "spike"), Phase(0.6, 1, "after the spike")),
}


def most_users(shape: str | None, users: int) -> int:
    """The number of users at the height of a shape; without one it stays."""
    return users if shape is None else round(max(phase.times for phase in SHAPES[shape]) * users)
