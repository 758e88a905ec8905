"""Checks after a round, for the service and the limit alike: answers on the wire, and rows in PostgreSQL."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import asyncpg
import orjson

from app.oauth.token_string import TokenClass, TokenString, parse
from app.policy import MOST_CLASSIC_TOKENS
from bench.load.generator import generate, load_of
from bench.load.records import Answer, form_request, read_answers, read_requests

_OK, _REFUSED = 200, 400
_REPLAYED = 50
_CAPPED_WITHIN_S = 1.0

_TOKEN_MEMBERS = frozenset({"access_token", "token_type", "type", "expires_in", "scope"})
_INTROSPECTION_MEMBERS = frozenset(
    {"active", "scope", "client_id", "token_type", "exp", "iat", "sub", "account", "aud", "iss", "jti"}
)
_SELECT_DIGESTS: dict[TokenClass, str] = {
    "c": "SELECT t.id, t.digest FROM unnest($1::uuid[]) AS asked(id) JOIN classic_token t USING (id)",
    "s": "SELECT t.id, t.digest FROM unnest($1::uuid[]) AS asked(id) JOIN strict_token t USING (id)",
}

_SELECT_REFRESH_DIGESTS = (
    "SELECT t.id, t.digest FROM unnest($1::uuid[]) AS asked(id) JOIN refresh_token t USING (id)"
)
_SELECT_SUCCESSORS = (
    "SELECT t.id, t.successor_id FROM unnest($1::uuid[]) AS asked(id) JOIN refresh_token t USING (id)"
)
_COUNT_CROWDED = (
    "SELECT count(*) FROM (SELECT FROM classic_token WHERE revoked_at IS NULL "
    "GROUP BY customer_id, application_id, scope HAVING count(*) > $1) crowded"
)


class CheckError(Exception):
    """Something that was answered or stored is wrong."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A code and the token it was answered with."""

    code: TokenString
    token: TokenString


def check_exchanges(database_url: str, requests: Path, answers: Path) -> int:
    """Every token answered stands in PostgreSQL by its digest, as the first and only one of its code's grant. How many."""
    asked = read_requests(requests)
    exchanged = [
        Exchanged(_code_of(asked[answer.position]), _token_of(answer, "c"))
        for answer in read_answers(answers)
    ]
    _check_distinct([each.token for each in exchanged])
    _check_distinct([each.code for each in exchanged])
    asyncio.run(_check_grants(database_url, exchanged))
    return len(exchanged)


def check_replays(database_url: str, url: str, requests: Path, answers: Path) -> None:
    """Some codes of the round once more: all are refused, and no second token came of it."""
    asked = read_requests(requests)
    used = list(islice(read_answers(answers), _REPLAYED))
    again = _answers_to(url, [asked[answer.position] for answer in used])
    if any(answer.status != _REFUSED for answer in again):
        raise CheckError("a code was redeemed a second time")
    exchanged = [Exchanged(_code_of(asked[answer.position]), _token_of(answer, "c")) for answer in used]
    asyncio.run(_check_grants(database_url, exchanged))


def check_doubles(url: str, requests: Path) -> None:
    """Codes that were not used yet, each sent twice at the same time: one of the two is answered with a token."""
    asked = read_requests(requests)
    answers = _answers_to(url, [request for request in asked for _ in range(2)])
    statuses = {answer.position: answer.status for answer in answers}
    pairs = Counter(frozenset((statuses[2 * each], statuses[2 * each + 1])) for each in range(len(asked)))
    if pairs != {frozenset((_OK, _REFUSED)): len(asked)}:
        raise CheckError(f"of two who present a code at once not exactly one got a token: {dict(pairs)}")


def check_client_tokens(database_url: str, _requests: Path, answers: Path) -> int:
    """Every token answered stands in PostgreSQL by its digest. How many."""
    tokens = [_token_of(answer, "s") for answer in read_answers(answers)]
    _check_distinct(tokens)
    asyncio.run(_check_digests(database_url, _SELECT_DIGESTS["s"], tokens))
    return len(tokens)


def check_refreshes(
    database_url: str, url: str, families: Sequence[tuple[dict[str, str], str]], answers: Path
) -> int:
    """Every pair answered stands in PostgreSQL, in the order of its family, and a spent token ends it. How many pairs.

    families: credentials and first refresh token of each; an answer's position is that of its family.
    """
    answered: list[list[Answer]] = [[] for _ in families]
    for answer in read_answers(answers):
        answered[answer.position].append(answer)
    pairs = [_pair_of(answer) for each in answered for answer in each]
    _check_distinct([token for pair in pairs for token in pair])
    chains = [
        [_parse(first), *(_pair_of(answer)[1] for answer in each)]
        for (_, first), each in zip(families, answered, strict=True)
    ]
    asyncio.run(_check_digests(database_url, _SELECT_DIGESTS["s"], [access for access, _ in pairs]))
    asyncio.run(_check_digests(database_url, _SELECT_REFRESH_DIGESTS, [refresh for _, refresh in pairs]))
    asyncio.run(_check_chains(database_url, chains))
    _check_reuse(url, families, answered)
    return len(pairs)


def _check_reuse(
    url: str, families: Sequence[tuple[dict[str, str], str]], answered: Sequence[Sequence[Answer]]
) -> None:
    used = [(family, each) for family, each in zip(families, answered, strict=True) if each][:_REPLAYED]
    newest = [(credentials, _refresh_of(each[-1])) for (credentials, _), each in used]
    for tokens in ([family for family, _ in used], newest):
        again = _answers_to(url, [_refresh_request(credentials, token) for credentials, token in tokens])
        if any(answer.status != _REFUSED for answer in again):
            raise CheckError("a refresh token worked that was spent, or whose family had ended")


def _refresh_request(credentials: dict[str, str], token: str) -> bytes:
    form = {"grant_type": "refresh_token", "refresh_token": token, **credentials}
    return form_request("/app/oauth2/token", form)


def check_cap(database_url: str) -> None:
    """Within a second of the last answer nobody holds more live tokens than may be."""
    deadline = time.monotonic() + _CAPPED_WITHIN_S
    while (crowded := asyncio.run(_count_crowded(database_url))) and time.monotonic() < deadline:
        time.sleep(0.1)
    if crowded:
        raise CheckError(
            f"{crowded} customers hold more than {MOST_CLASSIC_TOKENS} live tokens of an application"
        )


def check_introspections(requests: Path, answers: Path) -> None:
    """Every answer describes the very token it was asked about."""
    asked = [(_field(request, "token"), _field(request, "client_id")) for request in read_requests(requests)]
    for answer in read_answers(answers):
        token, client_id = asked[answer.position]
        document = _document(answer, _INTROSPECTION_MEMBERS)
        expected = {
            "active": True,
            "client_id": client_id,
            "jti": str(_parse(token).id),
            "scope": "aemp:read",
        }
        if any(document[name] != value for name, value in expected.items()):
            raise CheckError(f"{document['jti']} was described as another token, or as none")


async def _count_crowded(database_url: str) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        return int(await connection.fetchval(_COUNT_CROWDED, MOST_CLASSIC_TOKENS))
    finally:
        await connection.close()


async def _check_grants(database_url: str, exchanged: Sequence[Exchanged]) -> None:
    await _check_digests(database_url, _SELECT_DIGESTS["c"], [each.token for each in exchanged])
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "SELECT g.id, g.code_digest, g.first_token_id, count(t.id) AS tokens FROM unnest($1::uuid[]) AS asked(id) "
            "JOIN authorization_grant g USING (id) JOIN classic_token t ON t.grant_id = g.id "
            "GROUP BY g.id, g.code_digest, g.first_token_id",
            [each.code.id for each in exchanged],
        )
    finally:
        await connection.close()
    stored = {row["id"]: (row["code_digest"], row["first_token_id"], row["tokens"]) for row in rows}
    for each in exchanged:
        if stored.get(each.code.id) != (each.code.digest, each.token.id, 1):
            raise CheckError(
                f"code {each.code.id} was answered with token {each.token.id}, and no such grant stands"
            )


async def _check_chains(database_url: str, chains: Sequence[Sequence[TokenString]]) -> None:
    """Each token's successor is the next of its chain; the last has none."""
    expected = {
        token.id: successor.id if successor else None
        for chain in chains
        for token, successor in zip(chain, [*chain[1:], None], strict=True)
    }
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(_SELECT_SUCCESSORS, list(expected))
    finally:
        await connection.close()
    if {row["id"]: row["successor_id"] for row in rows} != expected:
        raise CheckError("a refresh token was spent for another successor than the one that was answered")


async def _check_digests(database_url: str, statement: str, tokens: Iterable[TokenString]) -> None:
    expected = {token.id: token.digest for token in tokens}
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(statement, list(expected))
    finally:
        await connection.close()
    stored = {row["id"]: row["digest"] for row in rows}
    lost = [token_id for token_id, digest in expected.items() if stored.get(token_id) != digest]
    if lost:
        raise CheckError(
            f"{len(lost)} of {len(expected)} answered tokens are not in PostgreSQL, such as {lost[0]}"
        )


def _answers_to(url: str, requests: Sequence[bytes]) -> list[Answer]:
    answers: list[Answer] = []
    outcome = generate(load_of(url, requests, once=True), lambda *answer: answers.append(Answer(*answer)))
    if outcome.errors or len(answers) != len(requests):
        raise CheckError(f"{len(requests)} requests were sent and {len(answers)} answered: {outcome.errors}")
    return answers


def _check_distinct(tokens: Sequence[TokenString]) -> None:
    if len({token.id for token in tokens}) != len(tokens):
        raise CheckError("one token or code was seen twice")


def _pair_of(answer: Answer) -> tuple[TokenString, TokenString]:
    """Access and refresh token."""
    refresh = _parse(_refresh_of(answer))
    if (refresh.kind, refresh.token_class) != ("rt", "s"):
        raise CheckError("a refresh token was due")
    return _token_of(answer, "s", members=_TOKEN_MEMBERS | {"refresh_token"}), refresh


def _refresh_of(answer: Answer) -> str:
    token: str = orjson.loads(answer.body)["refresh_token"]
    return token


def _token_of(
    answer: Answer, token_class: TokenClass, *, members: frozenset[str] = _TOKEN_MEMBERS
) -> TokenString:
    document = _document(answer, members)
    token = _parse(document["access_token"])
    if (token.kind, token.token_class) != ("at", token_class):
        raise CheckError(f"an access token of class {token_class} was due")
    if not document["token_type"] == document["type"] == "Bearer" or document["expires_in"] <= 0:
        raise CheckError("an answer describes its token wrongly")
    return token


def _document(answer: Answer, members: frozenset[str]) -> dict[str, Any]:
    """Read the document, which is never shown: it may hold a token."""
    if answer.status != _OK:
        raise CheckError(f"request {answer.position} was answered {answer.status}")
    document: dict[str, Any] = orjson.loads(answer.body)
    if document.keys() != members:
        raise CheckError(f"an answer has the members {sorted(document)}")
    return document


def _code_of(request: bytes) -> TokenString:
    return _parse(_field(request, "code"))


def _field(request: bytes, name: str) -> str:
    return parse_qs(request.partition(b"\r\n\r\n")[2].decode())[name][0]


def _parse(text: str) -> TokenString:
    token = parse(text)
    if token is None:
        raise CheckError("a token or code is not of the published format")
    return token
