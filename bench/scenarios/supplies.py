"""The users of a run take prepared codes, live tokens and accounts from here, and keep their answers here."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bench.load.records import form_request, pack_answer, pack_request, read_requests
from bench.scenarios.catalogue import TOKEN
from bench.scenarios.material import (
    Account,
    Caller,
    Family,
    Folder,
    answers_of,
    read_callers,
    read_families,
)

_OK = 200


class NothingPreparedError(Exception):
    """A scenario was started without what `make bench` prepares for it."""


class Turn(NamedTuple):
    """The application whose turn it is, with one token to ask about and one to read with."""

    caller: Caller
    token: str
    fleet_token: str


class Prepared(NamedTuple):
    """A request's place in its file, and its form."""

    position: int
    form: str


class Answers:
    """Tokens as they were answered, for the check afterwards that each of them is stored."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._count = 0

    def keep(self, body: bytes, position: int | None = None) -> None:
        """position: of the request; by default it is the next one."""
        self._file.write(pack_answer(self._count if position is None else position, _OK, body))
        self._count += 1


class Codes:
    """Prepared exchanges, none of them twice."""

    def __init__(self, requests: Sequence[bytes], answers: Answers) -> None:
        self._forms = enumerate(request.partition(b"\r\n\r\n")[2].decode() for request in requests)
        self.answers = answers
        self.used_up = False

    def next(self) -> Prepared | None:
        """None when they are used up."""
        found = next(self._forms, None)
        return None if found is None else Prepared(*found)


class Consented:
    """Exchanges of codes from consent pages, put down beside their answers."""

    def __init__(self, requests: BinaryIO, answers: Answers) -> None:
        self._requests = requests
        self._answers = answers

    def keep(self, form: dict[str, str], body: bytes) -> None:
        self._requests.write(pack_request(form_request(TOKEN, form)))
        self._answers.keep(body)


class Supplies:
    """Supplies that are not in the folder stay empty; a user that needs them says so."""

    def __init__(self, accounts: Sequence[Account], folder: Folder | None) -> None:
        self.folder = folder
        self._files = ExitStack()
        self.accounts: Iterator[Account] = itertools.cycle(accounts)
        self._turns: Iterator[Turn] = iter(())
        self.codes: Codes | None = None
        self.consented: Consented | None = None
        self.client_tokens: Answers | None = None
        self.refreshed: Answers | None = None
        self._families: Iterator[tuple[int, Family]] = iter(())
        if folder is not None:
            self._read(folder)

    def next_caller(self) -> Turn:
        turn = next(self._turns, None)
        if turn is None:
            raise NothingPreparedError("live tokens")
        return turn

    def next_family(self) -> tuple[int, Family]:
        """One that no other user has, and its place among them."""
        found = next(self._families, None)
        if found is None:
            raise NothingPreparedError("refresh tokens")
        return found

    def close(self) -> None:
        self._files.close()

    def _read(self, folder: Folder) -> None:
        if folder.callers.exists():
            self._turns = itertools.cycle(_turns(read_callers(folder.callers)))
        if folder.codes.exists():
            self.codes = Codes(read_requests(folder.codes), self._answers(folder.codes))
        if folder.families.exists():
            self._families = enumerate(read_families(folder.families))
            self.refreshed = self._answers(folder.families)
        self.client_tokens = self._answers(folder.client_tokens)
        self.consented = Consented(self._open(folder.consented), self._answers(folder.consented))

    def _answers(self, requests: Path) -> Answers:
        return Answers(self._open(answers_of(requests)))

    def _open(self, path: Path) -> BinaryIO:
        return self._files.enter_context(path.open("wb"))


def _turns(callers: Sequence[Caller]) -> list[Turn]:
    """Every token once, callers taking turns."""
    turns = zip(*(_turns_of(caller) for caller in callers), strict=True)
    return [turn for each in turns for turn in each]


def _turns_of(caller: Caller) -> list[Turn]:
    pairs = zip(caller.tokens, itertools.cycle(caller.fleet_tokens), strict=False)
    return [Turn(caller, token, fleet_token) for token, fleet_token in pairs]
