"""JSON documents as plain nested values, in any of the shapes that providers give ISO 15143-3."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from app.aemp.model.bounds import DEEPEST_JSON, LONGEST_INTEGER
from app.aemp.model.errors import FlawError

_DEEPEST = 2  # a list of wrapped pages
_CONTAINERS = frozenset((dict, list))


def machines_of_json(document: Any) -> Iterator[tuple[None, Any]]:
    """Each machine as (None in place of its line, `{element: {child: value}}`)."""
    return ((None, machine) for machine in _machines(document))


def _machines(document: Any, depth: int = 0) -> list[Any]:
    """The machines of a page, a wrapped page, a list of pages, a list of machines, or one machine."""
    if depth > _DEEPEST or not isinstance(document, dict | list):
        raise FlawError("neither a fleet nor a machine")
    if isinstance(document, list):
        return [machine for part in document for machine in _machines(part, depth + 1)]
    if "fleet" in document:
        return _machines(document["fleet"], depth + 1)
    if "equipment" in document:
        listed = document["equipment"]
        return listed if isinstance(listed, list) else [listed]
    if "equipmentheader" in document or "assetid" in document:
        return [document]
    raise FlawError("neither a fleet nor a machine: no Fleet, Equipment, EquipmentHeader or assetId")


def parse_json(data: bytes) -> Any:
    """Parse JSON into names in lower case, without `@`.

    The standard library's parser shows repeated names, which the faster one hides.
    Raises FlawError when it is malformed, contradicts itself, or is nested too deeply.
    """
    try:
        document = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise FlawError(f"line {error.lineno}: not JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise FlawError(f"byte {error.start} is not UTF-8") from None
    except RecursionError:
        raise _nested_too_deeply() from None
    if data.count(b"[") + data.count(b"{") > DEEPEST_JSON:  # else it cannot be that deep
        _check_depth(document)
    return document


def _check_depth(document: Any) -> None:
    """Python bounds the depth too, but differently in each version, and later work may not end in a RecursionError."""
    level = _containers([document])
    for _ in range(DEEPEST_JSON):
        if not level:
            return
        level = [
            each for part in level for each in _containers(part.values() if type(part) is dict else part)
        ]
    if level:
        raise _nested_too_deeply()


def _containers(values: Iterable[Any]) -> list[Any]:
    return [each for each in values if type(each) in _CONTAINERS]


def _nested_too_deeply() -> FlawError:
    return FlawError(f"nested more than {DEEPEST_JSON} deep")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Names that differ only by case may repeat a value, as `Datetime` beside `datetime`, but not contradict it."""
    named: dict[str, Any] = {}
    seen: set[str] = set()
    for name, value in pairs:
        key = name.lstrip("@").lower()
        if name in seen or (key in named and named[key] != value):
            raise FlawError(f"the name {name[:40]!r} stands twice in one object")
        seen.add(name)
        named[key] = value
    return named


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise FlawError(f"a number of {len(digits)} digits, of which {LONGEST_INTEGER} are read")
    return int(digits)


def _refuse_constant(name: str) -> float:
    raise FlawError(f"{name} is not a number in JSON")
