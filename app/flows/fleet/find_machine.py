"""Find the machine of a fleet that an identifier means."""

from app.aemp.model.errors import FlawError
from app.aemp.model.identifiers import described, normalise_identifier
from app.refused import RefusedError
from app.storage.fleet.fleet_changes import Named, select_machines_named
from app.storage.people.people import Member
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


def _normalised(identifier: str) -> str:
    try:
        return normalise_identifier(identifier)
    except FlawError as flaw:
        raise MachineError(str(flaw), code="invalid_identifier", status=400) from None


def no_machine(owner: Member, identifier: str) -> MachineError:
    told = f"{owner.customer_name} has no machine {identifier}"
    return MachineError(told, code="unknown_machine", status=404)
