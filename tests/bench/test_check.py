"""The checks of a round refuse what is wrong, so that a fast wrong answer counts for nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from app.oauth.token_string import TokenString, mint, new_id
from bench.limit.database import create_database
from bench.load.check import (
    CheckError,
    check_client_tokens,
    check_doubles,
    check_exchanges,
    check_introspections,
    check_replays,
)
from bench.load.records import form_request, pack_answer, write_requests
from tests.bench.echo import Server, serving


@pytest.fixture(scope="module")
async def limit_url(servers: tuple[str, str]) -> str:
    return await create_database(servers[0])


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


class Exchange:
    """A code, the token it was answered with, and what stands in PostgreSQL."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self.code, self.token = mint("ac", "c", 7), mint("at", "c", 7)
        self.requests, self.answers = folder / "requests", folder / "answers"
        write_requests(self.requests, [form_request("/token", {"code": self.code.text})])
        self.answer()

    def answer(self, status: int = 200, **changes: object) -> None:
        members = {
            "access_token": self.token.text,
            "token_type": "Bearer",
            "type": "Bearer",
            "expires_in": 60,
        }
        body = orjson.dumps({**members, "scope": "aemp:read", **changes})
        self.answers.write_bytes(pack_answer(0, status, body))

    def store(self, *tokens: TokenString, digest: bytes | None = None) -> None:
        asyncio.run(self._store(*tokens, digest=digest))

    async def _store(self, *tokens: TokenString, digest: bytes | None) -> None:
        connection = await asyncpg.connect(self.database_url)
        await connection.execute(
            "INSERT INTO authorization_grant (id, bucket, application_id, customer_id, code_digest, first_token_id, "
            "scope, approved_at) VALUES ($1, 7, $2, $2, $3, $4, 'aemp:read', now())",
            *(self.code.id, new_id(), self.code.digest, tokens[0].id),
        )
        for token in tokens:
            await connection.execute(
                "INSERT INTO classic_token (id, bucket, digest, grant_id, application_id, customer_id, scope, "
                "approved_at, issued_at, used_at, expires_at, absolute_expires_at) "
                "VALUES ($1, 7, $2, $3, $4, $4, 'aemp:read', now(), now(), now(), now(), now())",
                *(token.id, digest or token.digest, self.code.id, new_id()),
            )
        await connection.close()


@pytest.fixture
def exchange(limit_url: str, tmp_path: Path) -> Exchange:
    return Exchange(limit_url, tmp_path)


def test_stored_token_of_a_stored_grant_passes(exchange: Exchange) -> None:
    exchange.store(exchange.token)
    check_exchanges(exchange.database_url, exchange.requests, exchange.answers)


def test_token_that_is_not_stored_is_found(exchange: Exchange) -> None:
    with pytest.raises(CheckError, match="1 of 1 answered tokens are not in PostgreSQL"):
        check_exchanges(exchange.database_url, exchange.requests, exchange.answers)


def test_token_stored_by_another_digest_is_found(exchange: Exchange) -> None:
    exchange.store(exchange.token, digest=bytes(32))
    with pytest.raises(CheckError, match="not in PostgreSQL"):
        check_exchanges(exchange.database_url, exchange.requests, exchange.answers)


def test_second_token_of_one_code_is_found(exchange: Exchange) -> None:
    exchange.store(exchange.token, mint("at", "c", 7))
    with pytest.raises(CheckError, match="no such grant stands"):
        check_exchanges(exchange.database_url, exchange.requests, exchange.answers)


def test_grant_of_another_token_is_found(exchange: Exchange) -> None:
    exchange.store(mint("at", "c", 7), exchange.token)
    with pytest.raises(CheckError, match="no such grant stands"):
        check_exchanges(exchange.database_url, exchange.requests, exchange.answers)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 400},
        {"type": "DPoP"},
        {"expires_in": 0},
        {"more": 1},
        {"access_token": mint("at", "s", 7).text},
    ],
)
def test_answer_that_is_not_the_documented_one_is_found(exchange: Exchange, changes: dict[str, Any]) -> None:
    exchange.store(exchange.token)
    exchange.answer(**changes)
    with pytest.raises(CheckError):
        check_exchanges(exchange.database_url, exchange.requests, exchange.answers)


def test_client_token_that_is_not_stored_is_found(exchange: Exchange) -> None:
    exchange.answer(access_token=mint("at", "s", 7).text)
    with pytest.raises(CheckError, match="not in PostgreSQL"):
        check_client_tokens(exchange.database_url, exchange.requests, exchange.answers)


def test_code_that_is_redeemed_again_is_found(exchange: Exchange, server: Server) -> None:
    """This server answers whatever comes."""
    exchange.store(exchange.token)
    url = f"http://127.0.0.1:{server.port}"
    with pytest.raises(CheckError, match="a second time"):
        check_replays(exchange.database_url, url, exchange.requests, exchange.answers)
    server.refused.update(server.seen)
    check_replays(exchange.database_url, url, exchange.requests, exchange.answers)


def test_code_redeemed_by_two_at_once_is_found(exchange: Exchange, server: Server) -> None:
    with pytest.raises(CheckError, match="not exactly one got a token"):
        check_doubles(f"http://127.0.0.1:{server.port}", exchange.requests)


@pytest.mark.parametrize("changes", [{}, {"active": False}, {"client_id": "other"}, {"jti": "other"}])
def test_description_of_another_token_is_found(tmp_path: Path, changes: dict[str, object]) -> None:
    token = mint("at", "c", 7)
    requests, answers = tmp_path / "requests", tmp_path / "answers"
    write_requests(requests, [form_request("/introspect", {"client_id": "me", "token": token.text})])
    members = {
        "active": True,
        "client_id": "me",
        "jti": str(token.id),
        "scope": "aemp:read",
        "token_type": "Bearer",
    }
    others = {"exp": 2, "iat": 1, "sub": "you", "account": {}, "aud": "api", "iss": "us"}
    answers.write_bytes(pack_answer(0, 200, orjson.dumps({**members, **others, **changes})))
    if not changes:
        check_introspections(requests, answers)
        return
    with pytest.raises(CheckError, match="described as another token"):
        check_introspections(requests, answers)
