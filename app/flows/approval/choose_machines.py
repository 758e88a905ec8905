"""The machines that a person may choose from, and those that were chosen: judged before they become terms."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.flows.account.prove import FieldError
from app.flows.fleet.find_machine import LineFault, find_machines
from app.sentence import Sentence, counted
from app.storage.fleet.shares import (
    OfferedMachine,
    select_keys_owned,
    select_machine_count,
    select_offered,
)
from app.storage.fleet.view import FleetView, fleet_of

MOST_TICKED = 500  # machines that a page shows one by one
MOST_CHOSEN = 10_000  # of one connection, and lines of one form
_LARGEST_KEY = 2**63 - 1


class MachinesError(FieldError):
    """The chosen machines are not accepted. faults: lines that mean none, each with its reason."""

    def __init__(self, what: Sentence, faults: Sequence[LineFault] = ()) -> None:
        super().__init__("machines", what)
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Offer:
    """count: of the fleet. listed: the whole fleet where it is small, else what is shared. named: shared and not listed."""

    count: int
    listed: tuple[OfferedMachine, ...]
    whole: bool
    named: tuple[str, ...]


async def offer_machines(context: Context, customer_id: UUID, chosen: Collection[int] | None) -> Offer:
    """What a page shows to choose from. chosen: keys of the machines that are shared; None for all."""
    async with fleet_of(context.database, FleetView(customer_id)) as fleet:
        count = await select_machine_count(fleet, customer_id)
        if count <= MOST_TICKED:
            listed = await select_offered(fleet, customer_id, None, most=MOST_TICKED)
            return Offer(count, listed, whole=True, named=())
        shared = await select_offered(fleet, customer_id, sorted(chosen or ()), most=MOST_CHOSEN)
    if len(shared) <= MOST_TICKED:
        return Offer(count, shared, whole=False, named=())
    headers = (each.header for each in shared)
    named = tuple(each.pin or each.serial_number or each.equipment_id or "" for each in headers)
    return Offer(count, (), whole=False, named=named)


async def choose_machines(
    context: Context, customer_id: UUID, keys: Collection[int], lines: Sequence[str]
) -> frozenset[int]:
    """The keys of the machines that were ticked or named.

    Raises MachinesError when nothing was chosen, there are too many, a line means none, or one is not the customer's.
    """
    if len(keys) + len(lines) > MOST_CHOSEN:
        raise MachinesError(Sentence("At most %(count)s machines can be chosen.", count=MOST_CHOSEN))
    possible = sorted(key for key in keys if 0 < key <= _LARGEST_KEY)
    async with fleet_of(context.database, FleetView(customer_id)) as fleet:
        if len(await select_keys_owned(fleet, customer_id, possible)) < len(keys):
            # One text for a machine that left, another customer's, and a number that somebody made up.
            raise MachinesError(
                Sentence("One of the ticked machines is not in your fleet any more. Please look again.")
            )
        named, faults = await find_machines(fleet, customer_id, lines)
    if faults:
        raise MachinesError(
            counted("One line means no machine.", "%(count)s lines mean no machine.", len(faults)), faults
        )
    if not keys and not named:
        raise MachinesError(Sentence("Choose at least one machine."))
    return frozenset(keys) | named
