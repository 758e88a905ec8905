"""The checks of a bench run notice what they are there for: lost, swapped and surplus tokens."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import orjson
import pytest

from app.oauth.token_string import TokenString, bucket_of, mint
from app.storage.token.grants import Redemption
from bench.load.check import CheckError, check_cap, check_exchanges
from bench.load.records import form_request, pack_answer, write_requests
from tests.support.approvals import approval_for
from tests.support.people import World


@dataclass(frozen=True, slots=True)
class Recorded:
    """Exchanges as a run leaves them behind."""

    requests: Path
    answers: Path

    def put(self, exchanges: list[tuple[TokenString, TokenString]]) -> None:
        write_requests(self.requests, (form_request("/", {"code": code.text}) for code, _ in exchanges))
        answers = [
            pack_answer(position, 200, answer_with(token)) for position, (_, token) in enumerate(exchanges)
        ]
        self.answers.write_bytes(b"".join(answers))


def answer_with(token: TokenString) -> bytes:
    described = {"token_type": "Bearer", "type": "Bearer", "expires_in": 60, "scope": "aemp:read"}
    return orjson.dumps({"access_token": token.text, **described})


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path / "requests", tmp_path / "answers")


async def exchanged(world: World) -> tuple[TokenString, TokenString]:
    """A code, and the token that stands for it."""
    approval, code = await approval_for(world, world.context.database)
    token = mint("at", "c", bucket_of(approval.customer_id))
    assert await world.context.gathered.insert_redemption(Redemption.of(approval, token), classic=True)
    return code, token


async def check(database_url: str, recorded: Recorded) -> int:
    return await asyncio.to_thread(check_exchanges, database_url, recorded.requests, recorded.answers)


async def test_stored_tokens_pass(world: World, database_url: str, recorded: Recorded) -> None:
    recorded.put([await exchanged(world), await exchanged(world)])
    assert await check(database_url, recorded) == 2


async def test_token_that_was_never_stored_is_noticed(
    world: World, database_url: str, recorded: Recorded
) -> None:
    code, token = await exchanged(world)
    recorded.put([(code, token), (code, mint("at", "c", token.bucket))])
    with pytest.raises(CheckError, match="seen twice"):
        await check(database_url, recorded)
    recorded.put([(code, token), (mint("ac", "c", token.bucket), mint("at", "c", token.bucket))])
    with pytest.raises(CheckError, match="1 of 2 answered tokens are not in PostgreSQL"):
        await check(database_url, recorded)


async def test_token_of_another_code_is_noticed(world: World, database_url: str, recorded: Recorded) -> None:
    (code, token), (other_code, other_token) = await exchanged(world), await exchanged(world)
    recorded.put([(code, other_token), (other_code, token)])
    with pytest.raises(CheckError, match="no such grant stands"):
        await check(database_url, recorded)


async def test_eleventh_live_token_is_noticed(world: World, database_url: str) -> None:
    """The service's own cap is left out: the rows are inserted below it."""
    await end_crowds(database_url)  # other tests insert below the cap too
    await asyncio.to_thread(check_cap, database_url)
    for _ in range(11):
        await exchanged(world)
    with pytest.raises(CheckError, match="1 customers hold more than 10 live tokens"):
        await asyncio.to_thread(check_cap, database_url)
    await end_crowds(database_url)
    await asyncio.to_thread(check_cap, database_url)


END_CROWDS = """\
UPDATE classic_token SET revoked_at = now() WHERE (customer_id, application_id, scope) IN
(SELECT customer_id, application_id, scope FROM classic_token WHERE revoked_at IS NULL
GROUP BY 1, 2, 3 HAVING count(*) > 10)"""


async def end_crowds(database_url: str) -> None:
    """Revoke all tokens of each customer, application and scope that have more than ten alive."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(END_CROWDS)
    await connection.close()
