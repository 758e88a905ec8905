"""Signing keys are rotated under verifiers that keep the published set for as long as they may, and none of them notices."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic

import httpx2
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.context import Context
from app.flows.account.register_application import RegisteredApplication
from app.flows.upkeep.signing_keys import rotate_signing_key
from app.oauth.actor import COMMAND_LINE
from tests.support.assertions import fresh, register_keyed
from tests.support.people import World
from tests.support.server import free_port, running_service, settings_on

LEAD = timedelta(seconds=3)
ROTATIONS = 3
VERIFIERS = 6


@pytest.fixture
async def address(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """A service of two processes."""
    settings = {
        **settings_on(database_url, redis_url, tmp_path),
        "ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4,
        "ROVITRACKER_LOG_LEVEL": "error",
        "ROVITRACKER_SIGNING_KEY_LEAD": f"{LEAD.seconds}s",
    }
    async with running_service("serve", "--workers", "2", port=free_port(), settings=settings) as address:
        yield address


@dataclass(slots=True)
class Verifier:
    """A resource server that fetches the keys when those it has are too old, and never because one is missing."""

    client: httpx2.AsyncClient
    credentials: RegisteredApplication | dict[str, str]
    kids: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    fetched: int = 0
    _keys: KeySet | None = None
    _good_until: float = 0.0

    async def verify_until(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            await self._verify_one()
            await asyncio.sleep(0.02)

    async def _verify_one(self) -> None:
        known = self.credentials
        fields = known if isinstance(known, dict) else fresh(known, aud=str(self.client.base_url).rstrip("/"))
        answer = await self.client.post(
            "/app/oauth2/introspect",
            data={**fields, "token": "rovi_at_x"},
            headers={"Accept": "application/token-introspection+jwt"},
        )
        if answer.status_code != 200:
            self.faults.append(f"{answer.status_code} {answer.text}")
            return
        try:
            read = jwt.decode(answer.text, await self._key_set(), ["ES256"])
        except (JoseError, ValueError) as error:
            self.faults.append(repr(error))
        else:
            self.kids.add(read.header["kid"])

    async def _key_set(self) -> KeySet:
        if self._keys is None or monotonic() >= self._good_until:
            answer = await self.client.get("/app/oauth2/jwks")
            max_age = re.fullmatch(r"public, max-age=(\d+)", answer.headers["cache-control"])
            assert max_age
            self._keys, self._good_until = KeySet.import_key_set(answer.json()), monotonic() + int(max_age[1])
            self.fetched += 1
        return self._keys


async def test_rotations_under_load_fail_no_verification(
    address: str, context: Context, world: World
) -> None:
    """R-107: each new key signs in the end, and there is no 401 on the way."""
    keyed = await register_keyed(context)
    secret = {"client_id": world.client_id, "client_secret": world.client_secret}
    rotating = replace(context, policy=replace(context.policy, signing_key_lead=LEAD))
    ended = asyncio.Event()
    async with httpx2.AsyncClient(base_url=address, timeout=30) as client:
        verifiers = [Verifier(client, keyed if number % 2 else secret) for number in range(VERIFIERS)]
        running = [asyncio.create_task(verifier.verify_until(ended)) for verifier in verifiers]
        rotated = []
        for _ in range(ROTATIONS):
            rotated.append((await rotate_signing_key(rotating, COMMAND_LINE)).kid)
            await asyncio.sleep(LEAD.total_seconds() + 0.5)
        ended.set()
        await asyncio.gather(*running)
    for verifier in verifiers:
        assert verifier.faults == []
        assert verifier.kids >= set(rotated)
        assert verifier.fetched <= ROTATIONS * (LEAD.total_seconds() + 0.5) + 2
