"""Import machines into a customer's fleet: known machines are recognised, and what cannot be kept is named."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.aemp.history.history import history_of, readings_of
from app.aemp.history.settle import WAITS
from app.aemp.model.errors import ReadError
from app.aemp.model.identifiers import (
    IDENTIFIER_KINDS,
    Name,
    identifiers_of,
    normalise_identifier,
    several_of,
)
from app.aemp.model.identity import Identity, identity_of
from app.aemp.model.values import Equipment, EquipmentHeader
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
    places = places or [Place(None, number) for number in range(1, len(machines) + 1)]
    identities = _identities(machines)
    distinct = dict(zip(identities, machines, strict=True))
    readings = [tuple(readings_of(machine)) for machine in machines]
    kept = await prepare_history(context, (reading.at for told in readings for _, reading in told))

    async def attempt(*, careful: bool) -> Imported:
        async with write_history(context.database) as transaction:
            keys, added, doubtful = await _identify(transaction, customer_id, distinct)
            for batch in _batches({key: distinct[identity] for identity, key in keys.items()}):
                await _write(transaction, customer_id, batch)
                progress(len(batch))
            taken = [at for at, identity in enumerate(identities) if identity in keys]
            told = [(keys[identities[at]], history_of(readings[at])) for at in taken]
            written = await write(transaction, customer_id, told, kept, careful=careful, snapshot=True)
            silent = (at for at in taken if keys[identities[at]] in written.waiting and not readings[at])
            refused = (
                *_doubts(zip(places, identities, strict=True), doubtful),
                *(Rejection(places[taken[at]], *each) for at, each in written.refused),
                # A machine without readings would wait unnoticed.
                *(Rejection(places[at], None, None, WAITS) for at in silent),
            )
            if whole:
                keep_whole(refused)
        repeated = len(machines) - len(distinct)
        return Imported(added, len(keys) - added, repeated, refused, written.stored)

    return await fresh_then_careful(attempt)


def _doubts(
    identities: Iterable[tuple[Place, Identity]], doubtful: Mapping[Identity, str]
) -> Iterator[Rejection]:
    for place, identity in identities:
        if identity in doubtful:
            yield Rejection(place, None, None, doubtful[identity])


async def _identify(
    transaction: Transaction, customer_id: UUID, distinct: Mapping[Identity, Equipment]
) -> tuple[dict[Identity, int], int, dict[Identity, str]]:
    """The key of each machine, how many were unknown and have been added, and why the others are none of these."""
    machine_count = await lock_fleet(transaction, customer_id)
    headers = await select_headers(transaction, customer_id)
    known = {identity_of(header): key for key, header in headers.items()}
    unknown = {identity: machine for identity, machine in distinct.items() if identity not in known}
    doubtful = _doubtful(unknown, headers.values())
    new = {identity: machine for identity, machine in unknown.items() if identity not in doubtful}
    keys = await _add(transaction, customer_id, new, machine_count)
    keys |= {identity: known[identity] for identity in distinct.keys() & known.keys()}
    return keys, len(new), doubtful


def _doubtful(unknown: Iterable[Identity], headers: Iterable[EquipmentHeader]) -> dict[Identity, str]:
    """A bare serial number of several machines means none of them, and no new one either."""
    bare = {identity for identity in unknown if identity[:-1] == ("serial", "", "")}
    named: dict[Identity, list[EquipmentHeader]] = defaultdict(list)
    for header in headers if bare else ():
        identity = ("serial", "", "", normalise_identifier(header.serial_number or ""))
        if identity in bare:
            named[identity].append(header)
    return {
        identity: several_of(Name("serial_number", identity[-1]), meant)
        for identity, meant in named.items()
        if len(meant) > 1
    }


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
