"""A thing of the model, which is itself however like another, and is shown by its name."""

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, eq=False)
class Named:
    name: str

    def __repr__(self) -> str:
        return self.name

    def _repr_pretty_(self, printer: Any, _: bool) -> None:  # noqa: FBT001  # as hypothesis calls it
        printer.text(self.name)
