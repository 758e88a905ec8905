"""A function and the texts that it could take long for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


class Worst(NamedTuple):
    """A text that grows by repeating its middle."""

    begin: str
    unit: str
    end: str = ""

    def grown_to(self, length: int, times: int) -> str:
        """times: as often as it takes for this length."""
        return self.begin + self.unit * (max(1, length // len(self.unit)) * times) + self.end


@dataclass(frozen=True, slots=True)
class Case:
    """run: the function as the code uses it. makes: the input from a text. lengths: each is grown tenfold."""

    run: Callable[[Any], object]
    worst: tuple[Worst, ...]
    makes: Callable[[str], Any]
    lengths: tuple[int, ...]

    def few_and_many(self, worst: Worst, length: int) -> tuple[Any, Any]:
        """The second ten times as much."""
        return self.makes(worst.grown_to(length, 1)), self.makes(worst.grown_to(length, 10))


def case(
    run: Callable[[Any], object],
    *worst: tuple[str, ...],
    makes: Callable[[str], Any] = str,
    lengths: tuple[int, ...] = (2_000,),
) -> Case:
    return Case(run, tuple(Worst(*each) for each in worst), makes, lengths)
