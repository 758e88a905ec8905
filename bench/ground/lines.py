"""JSON for people to compare: a line for each member, or for each entry of a member that holds objects."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson


def in_lines(document: Mapping[str, Any]) -> str:
    return (
        _enclosed("{}", (f"{_dumped(name)}: {_member(value)}" for name, value in document.items()), "") + "\n"
    )


def _member(value: Any) -> str:
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not any(isinstance(entry, dict) for entry in entries):
        return _dumped(value)
    if isinstance(value, dict):
        return _enclosed("{}", (f"{_dumped(name)}: {_dumped(entry)}" for name, entry in value.items()), "  ")
    return _enclosed("[]", map(_dumped, value), "  ")


def _enclosed(brackets: str, entries: Iterable[str], indent: str) -> str:
    lines = ",\n".join(f"{indent}  {entry}" for entry in entries)
    return f"{brackets[0]}\n{lines}\n{indent}{brackets[1]}"


def _dumped(value: Any) -> str:
    return orjson.dumps(value).decode()
