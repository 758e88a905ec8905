"""Move in: the lines of a file are stored in batches, each of them whole.

So an import that broke off goes on where it was.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, Literal, Protocol, TypeVar

from app.context import Context
from app.flows.moving.fields import Fields, LineError
from app.refused import RefusedError
from app.storage.people.moving import lock_imports
from app.storage.postgres.database import Transaction

_BATCH = 1000  # lines

Thing = TypeVar("Thing")
Verdict = Literal["imported", "known"] | LineError


@dataclass(frozen=True, slots=True)
class Numbered(Generic[Thing]):
    """What a line says. number: of the line in its file."""

    number: int
    item: Thing


class Mover(Protocol[Thing]):
    """One kind of thing that moves in. fields: those that a line of it may have."""

    @property
    def fields(self) -> frozenset[str]: ...

    def read(self, fields: Fields) -> Thing:
        """Raises RefusedError when the line is not kept."""

    async def store(self, transaction: Transaction, items: Sequence[Numbered[Thing]]) -> Sequence[Verdict]:
        """What became of each, in order."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told of an import while it runs. refused: line and reason; passed: how many bytes are done with."""

    refused: Callable[[int, str], None] = lambda _number, _reason: None
    passed: Callable[[int], None] = lambda _bytes: None


NOBODY = Watcher()


@dataclass(slots=True)
class Moved:
    """How many lines there were, and what became of them. known: stood here already, and are not changed."""

    lines: int = 0
    imported: int = 0
    known: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Move(Generic[Thing]):
    """An import on its way. dry_run: whether everything is undone at the end."""

    context: Context
    mover: Mover[Thing]
    watcher: Watcher
    dry_run: bool
    moved: Moved = field(default_factory=Moved)

    async def run(self, lines: Iterable[bytes]) -> Moved:
        if not self.dry_run:
            for batch in _batches(lines):
                async with self.context.database.transaction() as transaction:
                    verdicts = await self._store(transaction, batch)
                self._count(batch, verdicts)
            return self.moved
        with suppress(_UndoneError):
            async with self.context.database.transaction() as transaction:
                for batch in _batches(lines):
                    self._count(batch, await self._store(transaction, batch))
                raise _UndoneError
        return self.moved

    async def _store(
        self, transaction: Transaction, batch: Sequence[tuple[int, bytes]]
    ) -> dict[int, Verdict]:
        """The verdict on each line, by its number; a line that cannot be read is refused without asking a store."""
        await lock_imports(transaction)
        verdicts: dict[int, Verdict] = {}
        items: list[Numbered[Thing]] = []
        for number, raw in batch:
            try:
                items.append(Numbered(number, self.mover.read(Fields.read(raw, self.mover.fields))))
            except RefusedError as refused:
                verdicts[number] = LineError(refused.what)
        stored = await self.mover.store(transaction, items) if items else ()
        return verdicts | {each.number: verdict for each, verdict in zip(items, stored, strict=True)}

    def _count(self, batch: Sequence[tuple[int, bytes]], verdicts: dict[int, Verdict]) -> None:
        """Nothing is told of a batch before it is committed."""
        for number, verdict in sorted(verdicts.items()):
            self.moved.lines += 1
            if isinstance(verdict, LineError):
                self.moved.refused += 1
                self.watcher.refused(number, str(verdict))
            elif verdict == "known":
                self.moved.known += 1
            else:
                self.moved.imported += 1
        self.watcher.passed(sum(len(raw) for _, raw in batch))


class _UndoneError(Exception):
    """The end of a dry run, by which its transaction is rolled back."""


def _batches(lines: Iterable[bytes]) -> Iterator[list[tuple[int, bytes]]]:
    numbered = ((number, raw) for number, raw in enumerate(lines, start=1) if raw.strip())
    while batch := list(islice(numbered, _BATCH)):
        yield batch
