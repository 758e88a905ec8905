"""A form in which somebody ticks the notices that they want by mail."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from app.sentence import Sentence
from app.web.pages.account_form import Posted

_Name = TypeVar("_Name", bound=str)


def ticked(posted: Posted, said: Mapping[_Name, Any]) -> list[_Name]:
    """The names of the notices that are wanted. said: every notice by its name."""
    return [name for name in said if name in posted.fields]


def choices(said: Mapping[_Name, tuple[Sentence, Sentence]], off: Collection[str]) -> list[dict[str, Any]]:
    """The boxes of the form. said: what each notice tells, and more of it. off: those that are not wanted now."""
    return [
        {"name": name, "say": say, "more": more, "on": name not in off} for name, (say, more) in said.items()
    ]
