"""The check of a refresh round refuses what is wrong: a lost token, a broken family, a spent token that still works."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
import orjson
import pytest

from app.oauth.token_string import TokenString, mint, new_id
from bench.load.check import CheckError, check_refreshes
from bench.load.records import pack_answer
from tests.bench.echo import Server, serving

OWNER = {"client_id": "me", "client_secret": "mine"}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


class Family:
    """A first refresh token and the pairs it led to, as they were answered, and what stands in PostgreSQL."""

    def __init__(self, database_url: str, folder: Path, server: Server) -> None:
        self.database_url = database_url
        self.answers = folder / "answers"
        self.server = server
        self.chain = [mint("rt", "s", 7) for _ in range(3)]
        self.access = [mint("at", "s", 7) for _ in self.chain[1:]]
        pairs = zip(self.access, self.chain[1:], strict=True)
        self.answers.write_bytes(b"".join(pack_answer(0, 200, self.body(*pair)) for pair in pairs))
        for token in self.chain:
            form = {"grant_type": "refresh_token", "refresh_token": token.text, **OWNER}
            server.refused.add(urlencode(form).encode())

    def body(self, access: TokenString, refresh: TokenString, **changes: object) -> bytes:
        members = {"token_type": "Bearer", "type": "Bearer", "expires_in": 60, "scope": "aemp:read"}
        tokens = {"access_token": access.text, "refresh_token": refresh.text}
        return orjson.dumps({**members, **tokens, **changes})

    def store(self, *, successors: list[TokenString | None] | None = None, lost: bool = False) -> None:
        """successors: of each token of the chain; lost: the last access token is not there."""
        ids = [each.id if each else None for each in successors or [*self.chain[1:], None]]
        asyncio.run(self._store(ids, self.access[:-1] if lost else self.access))

    async def _store(self, successors: list[UUID | None], access: list[TokenString]) -> None:
        connection = await asyncpg.connect(self.database_url)
        for token, successor_id in zip(self.chain, successors, strict=True):
            await connection.execute(
                "INSERT INTO refresh_token (id, bucket, digest, grant_id, application_id, scope, successor_id, "
                "approved_at, issued_at, expires_at, absolute_expires_at) "
                "VALUES ($1, 7, $2, $3, $3, 'aemp:read', $4, now(), now(), now(), now())",
                *(token.id, token.digest, new_id(), successor_id),
            )
        for token in access:
            await connection.execute(
                "INSERT INTO strict_token (id, bucket, digest, application_id, scope, approved_at, issued_at, expires_at) "
                "VALUES ($1, 7, $2, $3, 'aemp:read', now(), now(), now())",
                *(token.id, token.digest, new_id()),
            )
        await connection.close()

    def check(self) -> int:
        url = f"http://127.0.0.1:{self.server.port}"
        return check_refreshes(self.database_url, url, [(OWNER, self.chain[0].text)], self.answers)


@pytest.fixture
def family(database_url: str, tmp_path: Path, server: Server) -> Family:
    return Family(database_url, tmp_path, server)


def test_family_that_stands_as_it_was_answered_passes(family: Family) -> None:
    family.store()
    assert family.check() == 2


def test_access_token_that_is_not_stored_is_found(family: Family) -> None:
    family.store(lost=True)
    with pytest.raises(CheckError, match="1 of 2 answered tokens are not in PostgreSQL"):
        family.check()


def test_token_that_was_spent_for_another_is_found(family: Family) -> None:
    last = family.chain[-1]
    family.store(successors=[last, last, None])
    with pytest.raises(CheckError, match="for another successor"):
        family.check()


def test_newest_token_that_is_spent_is_found(family: Family) -> None:
    """Its answer was never seen."""
    family.store(successors=[*family.chain[1:], family.chain[0]])
    with pytest.raises(CheckError, match="for another successor"):
        family.check()


def test_spent_token_that_still_works_is_found(family: Family) -> None:
    """This server answers whatever it was not told to refuse."""
    family.store()
    family.server.refused.clear()
    with pytest.raises(CheckError, match="a refresh token worked"):
        family.check()


def test_answer_of_other_members_is_found(family: Family) -> None:
    family.store()
    document = orjson.loads(family.body(family.access[0], family.chain[1]))
    family.answers.write_bytes(pack_answer(0, 200, orjson.dumps({**document, "more": 1})))
    with pytest.raises(CheckError, match="an answer has the members"):
        family.check()
