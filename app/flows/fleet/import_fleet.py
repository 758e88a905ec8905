"""Import machines into a customer's fleet: known machines are recognised, and what cannot be kept is named."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.aemp.history.history import history_of, readings_of
from app.aemp.model.errors import ReadError
from app.aemp.model.identifiers import IDENTIFIER_KINDS, identifiers_of
from app.aemp.model.identity import Identity, identity_of
from app.aemp.model.values import Equipment
from app.aemp.read.read import Place
from app.aemp.read.report import Rejection
from app.context import Context
from app.flows.fleet.write_history import fresh_then_careful, keep_whole, prepare_history, write
from app.storage.fleet.fleet_import import (
    insert_equipment,
    insert_identifiers,
    lock_fleet,
    select_headers,
    update_headers,
)
from app.storage.fleet.history import write_history
from app.storage.postgres.database import Transaction

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """How many machines were new, how many known before, how many named more than once.

    refused: readings that are not kept, each with the place of its machine.
    stored: rows of history that told something new.
    """

    added: int
    updated: int
    repeated: int
    refused: tuple[Rejection, ...] = ()
    stored: int = 0


async def import_machines(
    context: Context,
    customer_id: UUID,
    machines: Sequence[Equipment],
    progress: Callable[[int], None] = lambda _: None,
    *,
    places: Sequence[Place] | None = None,
    whole: bool = False,
) -> Imported:
    """Import machines in one transaction; one that is named twice has the readings of both, and the last header.

    progress: told how many machines were written since its last call. places: of the machines; they are counted without.
    whole: whether a refusal keeps back everything.
    Raises ReadError when a machine has no identifier.
    Raises NotWholeError when something is refused, and it was to be kept whole.
    """
    identities = _identities(machines)
    distinct = dict(zip(identities, machines, strict=True))
    readings = [tuple(readings_of(machine)) for machine in machines]
    kept = await prepare_history(context, (reading.at for told in readings for _, reading in told))

    async def attempt(*, careful: bool) -> Imported:
        async with write_history(context.database) as transaction:
            keys, added = await _identify(transaction, customer_id, distinct)
            for batch in _batches({keys[identity]: machine for identity, machine in distinct.items()}):
                await _write(transaction, customer_id, batch)
                progress(len(batch))
            told = [
                (keys[identity], history_of(each))
                for identity, each in zip(identities, readings, strict=True)
            ]
            written = await write(transaction, customer_id, told, kept, careful=careful, snapshot=True)
            refused = tuple(
                Rejection(places[at] if places else Place(None, at + 1), *each)
                for at, each in written.refused
            )
            if whole:
                keep_whole(refused)
        repeated = len(machines) - len(distinct)
        return Imported(added, len(distinct) - added, repeated, refused, written.stored)

    return await fresh_then_careful(attempt)


async def _identify(
    transaction: Transaction, customer_id: UUID, distinct: Mapping[Identity, Equipment]
) -> tuple[dict[Identity, int], int]:
    """The key of each machine, and how many were unknown and have been added."""
    machine_count = await lock_fleet(transaction, customer_id)
    headers = await select_headers(transaction, customer_id)
    known = {identity_of(header): key for key, header in headers.items()}
    unknown = {identity: machine for identity, machine in distinct.items() if identity not in known}
    keys = await _add(transaction, customer_id, unknown, machine_count)
    keys |= {identity: known[identity] for identity in distinct.keys() & known.keys()}
    return keys, len(unknown)


def _identities(machines: Sequence[Equipment]) -> list[Identity]:
    identities = []
    for place, machine in enumerate(machines, start=1):
        identity = identity_of(machine.header)
        if identity is None:
            raise ReadError(
                f"machine {place} has no PIN, serial number or id, so it could never be asked for"
            )
        identities.append(identity)
    return identities


async def _add(
    transaction: Transaction, customer_id: UUID, unknown: Mapping[Identity, Equipment], machine_count: int
) -> dict[Identity, int]:
    """Put new machines behind the last position, and return their keys."""
    positions = {identity: machine_count + place for place, identity in enumerate(unknown, start=1)}
    by_position = {positions[identity]: machine.header for identity, machine in unknown.items()}
    keys = await insert_equipment(transaction, customer_id, by_position) if by_position else {}
    return {identity: keys[position] for identity, position in positions.items()}


async def _write(transaction: Transaction, customer_id: UUID, batch: Mapping[int, Equipment]) -> None:
    await update_headers(transaction, {key: machine.header for key, machine in batch.items()})
    identifiers = [
        (value, IDENTIFIER_KINDS.index(kind) + 1, key)
        for key, machine in batch.items()
        for kind, value in identifiers_of(machine.header)
    ]
    await insert_identifiers(transaction, customer_id, identifiers)


def _batches(machines: Mapping[int, Equipment]) -> Iterator[dict[int, Equipment]]:
    keys = sorted(machines)
    for start in range(0, len(keys), _BATCH):
        yield {key: machines[key] for key in keys[start : start + _BATCH]}
