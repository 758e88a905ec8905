"""A workload uses up connected customers, and codes as consent pages leave them."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from random import Random
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.oauth.token_string import TokenString, bucket_of, mint, new_id
from app.storage.token.codes import Approval
from bench.ground.codes import Application, pack_for_service
from tests.faults.ground import Ground
from tests.support.people import CHALLENGE

_CUSTOMERS = 600
# A customer keeps ten tokens of a classic application; with fewer codes, none of them is surplus.
_CODES_A_PAIR = 9
_CODE_LIFE_S = 600
_PATIENCE_S = 2.0
_CONNECT = """
INSERT INTO connection (customer_id, application_id, approved_at, route)
SELECT customer_id, application_id, clock_timestamp(), 'code'
FROM unnest($1::uuid[]) AS each(customer_id), unnest($2::uuid[]) AS other(application_id)
ON CONFLICT DO NOTHING
"""


class Supplies:
    """The codes of one schedule."""

    def __init__(self, ground: Ground, customers: Sequence[UUID], chance: Random) -> None:
        self._ground = ground
        self._chance = chance
        self._fleets = ground.fleets
        self._pairs = iter(self._in_turn(customers))
        self._valkey = Redis(
            port=ground.valkey.port,
            password=ground.valkey.password,
            socket_timeout=_PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
        )

    async def code(self, *, strict: bool) -> tuple[Application, TokenString]:
        """A code that waits in Valkey, and its application. It is tried until Valkey says that it stands."""
        if strict:
            application = self._chance.choice(self._ground.strict)
            # Machines can be read with a third of the tokens.
            customer_id = self._chance.choice(self._fleets) if self._chance.random() < 0.3 else None
            customer_id = customer_id or next(self._pairs)[1]
        else:
            application, customer_id = next(self._pairs)
        while True:
            code = mint("ac", "s" if strict else "c", bucket_of(customer_id))
            with suppress(RedisError, OSError):
                key, value = pack_for_service(_approval(code, application, customer_id))
                if await self._valkey.set(key, value, ex=_CODE_LIFE_S):
                    return application, code
            await asyncio.sleep(0.05)

    def another(self, application: Application) -> Application:
        """An application that the code was not made for."""
        everybody = (*self._ground.classic, *self._ground.strict)
        return self._chance.choice(
            [each for each in everybody if each.strict == application.strict and each is not application]
        )

    @property
    def with_own_customer(self) -> Sequence[Application]:
        """Those that get tokens for themselves."""
        return self._ground.classic

    async def close(self) -> None:
        await self._valkey.aclose()

    def _in_turn(self, customers: Sequence[UUID]) -> Iterator[tuple[Application, UUID]]:
        for _ in range(_CODES_A_PAIR):
            for application in self._ground.classic:
                for customer_id in customers:
                    yield application, customer_id


async def supplies_for(ground: Ground, chance: Random) -> Supplies:
    """New customers, connected with every application."""
    customers = [new_id() for _ in range(_CUSTOMERS)]
    applications = [each.client_id for each in (*ground.classic, *ground.strict)]
    async with ground.owner() as owner:
        await owner.copy_records_to_table(
            "customer", columns=("id", "name"), records=[(each, "Hillside Plant Hire") for each in customers]
        )
        await owner.execute(_CONNECT, [*customers, *ground.fleets], applications)
    return Supplies(ground, customers, chance)


def _approval(code: TokenString, application: Application, customer_id: UUID) -> Approval:
    """Approved now: this machine's clock is PostgreSQL's too."""
    return Approval(
        code_id=code.id,
        code_digest=code.digest,
        application_id=application.client_id,
        customer_id=customer_id,
        member_id=new_id(),
        redirect_uri="https://integrator.example/callback",
        scope="aemp:read",
        code_challenge=CHALLENGE if application.strict else None,
        approved_at_us=time.time_ns() // 1000,
    )
