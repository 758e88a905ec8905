"""The part of a form that chooses what is shared: read, judged, and shown again with what was typed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from starlette.requests import Request

from app.context import Context
from app.flows.account.prove import FieldError
from app.flows.approval.choose_machines import (
    MOST_CHOSEN,
    MOST_TICKED,
    MachinesError,
    choose_machines,
    offer_machines,
)
from app.flows.approval.terms import Terms
from app.flows.fleet.find_machine import LineFault
from app.language.typed_times import read_day, read_moment, write_day, write_moment
from app.language.zones import zone_named
from app.oauth.bounds import MOST_FIELDS
from app.sentence import Sentence
from app.storage.fleet.shares import OfferedMachine
from app.storage.people.members import Member
from app.web.pages.browser import LARGEST_FORM, read_form
from app.web.pages.signed_in import person_here
from app.web.request import context_of, field_value

# 10,000 lines of 40 characters, each with its line break encoded, are 460 kB.
_LARGEST = 512 * 1024
_MOST_FIELDS = MOST_TICKED + MOST_FIELDS
_MOST_TOLD = 20  # lines that mean no machine

_TICK = "machine_"
_KEY = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class TypedTerms:
    """What a form says, as it was typed. keys: of the machines that were ticked; 0 for what is no key."""

    choice: str
    keys: frozenset[int]
    lines: str
    history_from: str
    ends_at: str


@dataclass(frozen=True, slots=True)
class TermsFault:
    """What is wrong, and at which field. lines: those that mean no machine. more: how many others do."""

    field: str
    text: Sentence
    status: int
    lines: tuple[LineFault, ...] = ()
    more: int = 0


async def read_terms_form(request: Request) -> Mapping[str, str]:
    """A form may name many machines when somebody is signed in; a stranger's has the bounds of all others."""
    announced = field_value(request, b"content-length")
    large = announced.isascii() and announced.isdigit() and int(announced) > LARGEST_FORM
    largest = _LARGEST if large and await person_here(request) else LARGEST_FORM
    return await read_form(request, largest=largest, most=_MOST_FIELDS)


def typed_terms(fields: Mapping[str, str]) -> TypedTerms:
    keys = (name.removeprefix(_TICK) for name in fields if name.startswith(_TICK))
    return TypedTerms(
        fields.get("machines", ""),
        frozenset(int(key) if _KEY.fullmatch(key) else 0 for key in keys),
        fields.get("lines", ""),
        fields.get("history_from", "").strip(),
        fields.get("ends_at", "").strip(),
    )


async def judge_terms(context: Context, member: Member, typed: TypedTerms, shown: Terms) -> Terms:
    """The terms that a form asks for, in the member's time zone.

    shown: those that its page showed, which no field tells to the microsecond.

    Raises FieldError where a field is not accepted.
    """
    machines: frozenset[int] | None = None
    if typed.choice == "these":
        lines = [line.strip() for line in typed.lines.replace("\r", "\n").split("\n")]
        machines = await choose_machines(
            context, member.customer_id, typed.keys, [line for line in lines if line]
        )
    elif typed.choice != "all":
        raise MachinesError(Sentence("Choose all machines or these."))
    zone = zone_named(member.time_zone)
    return Terms(
        machines,
        _history_from(typed.history_from, shown.history_from, zone),
        _ends_at(typed.ends_at, shown.ends_at, zone),
    )


def fault_at(error: FieldError) -> TermsFault:
    faults = error.faults if isinstance(error, MachinesError) else ()
    told = faults[:_MOST_TOLD]
    return TermsFault(error.field, error.what, error.status, told, len(faults) - len(told))


async def terms_fields(
    request: Request, member: Member, shown: Terms, typed: TypedTerms | None = None
) -> dict[str, Any]:
    """What the template shows. typed: what was typed, where it was not accepted."""
    zone = zone_named(member.time_zone)
    offer = await offer_machines(context_of(request), member.customer_id, shown.machines)
    typed = typed or TypedTerms(
        "all" if shown.machines is None else "these",
        shown.machines or frozenset(),
        "\n".join(offer.named),
        write_day(shown.history_from, zone),
        write_moment(shown.ends_at, zone),
    )
    return {
        "choice": typed.choice,
        "count": offer.count,
        "whole": offer.whole,
        "machines": [_machine(each, typed.keys) for each in offer.listed],
        "lines": typed.lines,
        "history_from": typed.history_from,
        "ends_at": typed.ends_at,
        "zone": member.time_zone,
        "most": MOST_CHOSEN,
    }


def _machine(offered: OfferedMachine, ticked: frozenset[int]) -> dict[str, Any]:
    header = offered.header
    return {
        "field": f"{_TICK}{offered.key}",
        "ticked": offered.key in ticked,
        "name": " ".join(filter(None, (header.oem_name, header.model))) or Sentence("Unnamed"),
        "own": header.equipment_id or "",
        "pin": header.pin or header.serial_number or "",
    }


def _history_from(text: str, shown: datetime | None, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    if shown is not None and text == write_day(shown, zone):
        return shown
    try:
        return read_day(text, zone)
    except ValueError:
        raise FieldError("history_from", Sentence("Give a date that there is, such as 2027-05-31.")) from None


def _ends_at(text: str, shown: datetime | None, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        ends_at = read_moment(text, zone)
    except ValueError:
        raise FieldError(
            "ends_at", Sentence("Give a date and a time that there is, such as 2027-05-31 18:00.")
        ) from None
    return shown if shown is not None and shown.replace(microsecond=0) == ends_at else ends_at
