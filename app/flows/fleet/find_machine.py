"""Find the machine of a fleet that an identifier means, or the machines that many of them mean."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from app.aemp.model.errors import FlawError
from app.aemp.model.identifiers import described, normalise_identifier
from app.refused import RefusedError
from app.sentence import Sentence
from app.storage.fleet.fleet_changes import Named, select_keys_named, select_machines_named
from app.storage.people.members import Member
from app.storage.postgres.database import Transaction


class MachineError(RefusedError):
    """No machine, or more than one, goes by the identifier, or the machine cannot go there."""

    code = "machine_conflict"
    status = 409


async def find_machine(transaction: Transaction, owner: Member, identifier: str) -> Named:
    """The machine that an identifier means in its owner's fleet.

    Raises MachineError when there is none, there are several, or the identifier is too long.
    """
    named = await select_machines_named(transaction, owner.customer_id, _normalised(identifier))
    meant = [each for each in named if each.kind == named[0].kind]
    if not meant:
        raise no_machine(owner, identifier)
    if len(meant) > 1:
        raise MachineError(
            f"{len(meant)} machines of {owner.customer_name} go by {identifier}: "
            f"{described(each.header for each in meant)}; name the one by its PIN"
        )
    return meant[0]


class LineFault(NamedTuple):
    """A line that means no machine, as it was typed, and why."""

    line: str
    what: Sentence


async def find_machines(
    transaction: Transaction, customer_id: UUID, lines: Sequence[str]
) -> tuple[frozenset[int], tuple[LineFault, ...]]:
    """The keys of the machines that the lines mean by the same rule, and the lines that mean none."""
    faults: list[LineFault] = []
    named: dict[str, str] = {}
    for line in lines:
        try:
            named[normalise_identifier(line)] = line
        except FlawError:
            faults.append(LineFault(line, Sentence("This is longer than the name of a machine can be.")))
    meant = await select_keys_named(transaction, customer_id, sorted(named))
    keys: set[int] = set()
    for value, line in named.items():
        match meant.get(value, ()):
            case ():
                faults.append(LineFault(line, Sentence("None of your machines goes by this.")))
            case (key,):
                keys.add(key)
            case several:
                told = Sentence("%(count)s machines go by this. Name the one by its PIN.", count=len(several))
                faults.append(LineFault(line, told))
    return frozenset(keys), tuple(faults)


def _normalised(identifier: str) -> str:
    try:
        return normalise_identifier(identifier)
    except FlawError as flaw:
        raise MachineError(str(flaw), code="invalid_identifier", status=400) from None


def no_machine(owner: Member, identifier: str) -> MachineError:
    told = f"{owner.customer_name} has no machine {identifier}"
    return MachineError(told, code="unknown_machine", status=404)
