"""The bare limit: an ASGI application that does the required input and output of a request, and no more.

It trusts its callers: nothing is bounded, repeated, logged, revoked or limited. What it answers and what it leaves in
PostgreSQL passes the same checks as the service's. Set by the environment: BENCH_DATABASE_URL, BENCH_REDIS_URL,
BENCH_ISSUER, BENCH_VALKEY (package or bare), BENCH_CACHE_S (how long introspection answers are kept, 0 for not at all),
BENCH_PAGE (a file with the page that it sends, compressed by gzip).
"""

import gc
import os
import struct
from collections.abc import Awaitable, Callable
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import asyncpg
from asyncpg.pgproto.pgproto import UUID

from bench.ground.guarded_path import GUARDED, PAGE
from bench.ground.valkey import BareConnection
from bench.limit.statements import Statements, open_statements
from bench.limit.token_text import mint, token_id
from bench.limit.valkey import PackageConnection, connect

# Ids of grant, application, customer and member, then the microsecond of the approval; the scope follows.
APPROVAL = struct.Struct(">16s16s16s16sq")
KEY = b"limit:"

_MOST_CACHED = 50_000

_TOKEN = b'{"access_token":"%b","token_type":"Bearer","type":"Bearer","expires_in":%d,"scope":"%b"}'
_ACTIVE = (
    b'{"active":true,"scope":"%b","client_id":"%b","token_type":"Bearer","exp":%d,"iat":%d,'
    b'"sub":"%b","account":{"id":"%b","name":"Some customer"},"aud":"%b/api","iss":"%b","jti":"%b"}'
)
_INACTIVE = b'{"active":false}'
_YEAR_S, _HOUR_S = 365 * 86_400, 3600
_SCOPE = b"aemp:read"
_BEARER = b"Bearer "
_OK = 200

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Application(NamedTuple):
    """One that may ask."""

    id: UUID
    secret_digest: bytes
    customer_id: UUID
    bucket: int


class Limit:
    """One process's application."""

    def __init__(self) -> None:
        self._issuer = os.environ["BENCH_ISSUER"].encode()
        self._cache_s = float(os.environ["BENCH_CACHE_S"])
        self._cache: dict[bytes, tuple[float, bytes]] = {}
        self._callers: dict[bytes, tuple[float, bytes]] = {}
        self._page = Path(os.environ["BENCH_PAGE"]).read_bytes() if "BENCH_PAGE" in os.environ else b""
        self._applications: dict[bytes, Application] = {}
        self._statements: Statements
        self._valkey: PackageConnection | BareConnection

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["path"] == GUARDED:
            await _answer(send, *await self._guard(scope["headers"]))
            return
        if scope["path"] == PAGE:
            await self._send_page(send, scope["headers"])
            return
        if scope["method"] != "POST":  # whoever waits until it is ready
            await _answer(send, 200, b"{}")
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        await _answer(send, *await self._serve(scope["path"], body))

    async def _serve(self, path: str, body: bytes) -> tuple[int, bytes]:
        fields = dict(pair.split(b"=", 1) for pair in body.split(b"&"))
        application = self._applications.get(fields.get(b"client_id", b""))
        if application is None or not compare_digest(
            sha256(fields.get(b"client_secret", b"")).digest(), application.secret_digest
        ):
            return 401, b'{"error":"invalid_client"}'
        if path == "/app/oauth2/introspect":
            return 200, await self._introspect(fields[b"token"])
        if b"code" in fields:
            return await self._exchange(application, fields[b"code"])
        return 200, await self._issue(application)

    async def _exchange(self, application: Application, code: bytes) -> tuple[int, bytes]:
        code_digest = sha256(code).digest()
        approval = await self._valkey.getdel(KEY + code_digest)
        if approval is None:
            return 400, b'{"error":"invalid_grant"}'
        grant_id, application_id, customer_id, member_id, approved_at_us = APPROVAL.unpack_from(approval)
        if application_id != application.id.bytes:
            return 400, b'{"error":"invalid_grant"}'
        scope = approval[APPROVAL.size :]
        bucket = (grant_id[14] & 0xF) << 8 | grant_id[15]
        new_id, token = mint(b"rovi_at_c", bucket)
        await self._statements.exchanges(
            (
                UUID(grant_id),
                bucket,
                code_digest,
                application.id,
                UUID(customer_id),
                UUID(member_id),
                scope.decode(),
                approved_at_us,
                UUID(new_id),
                sha256(token).digest(),
            )
        )
        return 200, _TOKEN % (token, _YEAR_S, scope)

    async def _issue(self, application: Application) -> bytes:
        new_id, token = mint(b"rovi_at_s", application.bucket)
        await self._statements.client_tokens(
            (
                UUID(new_id),
                application.bucket,
                sha256(token).digest(),
                application.id,
                application.customer_id,
                "aemp:read",
            )
        )
        return _TOKEN % (token, _HOUR_S, _SCOPE)

    async def _introspect(self, token: bytes) -> bytes:
        digest = sha256(token).digest()
        if self._cache_s:
            kept = self._cache.get(digest)
            if kept is not None and kept[0] > monotonic():
                return kept[1]
        row = await self._read(token, digest)
        if row is None:
            return _INACTIVE
        answer = self._describe(row)
        if self._cache_s:
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            self._cache[digest] = monotonic() + self._cache_s, answer
        return answer

    async def _guard(self, headers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
        """An empty route behind the same check."""
        token = next((value[len(_BEARER) :] for name, value in headers if name == b"authorization"), b"")
        digest = sha256(token).digest()
        kept = self._callers.get(digest)
        if kept is not None and kept[0] > monotonic():
            return 200, kept[1]
        row = await self._read(token, digest)
        if row is None or _SCOPE.decode() not in row["scope"].split():
            return 401, b'{"error":"invalid_token"}'
        caller = str(row["customer_id"]).encode()
        if len(self._callers) >= _MOST_CACHED:
            self._callers.clear()
        self._callers[digest] = monotonic() + self._cache_s, caller
        return 200, caller

    async def _send_page(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        """Finished bytes behind the guard and one gathered look-up; 304 to whoever names any tag."""
        status, caller = await self._guard(headers)
        if status != _OK:
            await _answer(send, status, caller)
            return
        await self._statements.fleets(UUID(caller.decode()))
        known = any(name == b"if-none-match" for name, _ in headers)
        status, body = (304, b"") if known else (_OK, self._page)
        told = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
        if not known:
            told.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": body})

    async def _read(self, token: bytes, digest: bytes) -> Any:
        """The row of a live token, else None."""
        found_id = token_id(token)
        if found_id is None:
            return None
        row = await self._statements.tokens((UUID(found_id), (found_id[14] & 0xF) << 8 | found_id[15]))
        if row is None or not compare_digest(row["digest"], digest) or not row["active"]:
            return None
        return row

    def _describe(self, row: Any) -> bytes:
        return _ACTIVE % (
            row["scope"].encode(),
            str(row["application_id"]).encode(),
            int(row["expires_at"].timestamp()),
            int(row["issued_at"].timestamp()),
            str(row["member_id"]).encode(),
            str(row["customer_id"]).encode(),
            self._issuer,
            self._issuer,
            str(row["id"]).encode(),
        )

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        database_url = os.environ["BENCH_DATABASE_URL"]
        self._applications = await _read_applications(database_url)
        self._statements = await open_statements(database_url)
        self._valkey = await connect(os.environ["BENCH_VALKEY"], os.environ["BENCH_REDIS_URL"])
        gc.collect()
        gc.freeze()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._statements.close()
        await self._valkey.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read_applications(database_url: str) -> dict[bytes, Application]:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT id, secret_digest, customer_id FROM limit_application")
    await connection.close()
    applications = (
        Application(row["id"], row["secret_digest"], row["customer_id"], _bucket_of(row["customer_id"]))
        for row in rows
    )
    return {str(application.id).encode(): application for application in applications}


def _bucket_of(customer_id: UUID) -> int:
    return int.from_bytes(sha256(customer_id.bytes).digest()[:2]) >> 4


def app() -> Limit:
    return Limit()
