"""Applications that get, ask about, renew and revoke tokens; what one process was told holds in both."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from time import monotonic

from tests.soak.customers import HEARD_WITHIN_S, Way, ask, ask_raw, exchange
from tests.soak.processes import Pair, Process
from tests.support.people import World
from tests.support.raw import get, send

_PAUSE_S = 0.4


@dataclass(slots=True)
class TokenUser:
    """One application of one customer, classic or strict."""

    world: World
    way: Way
    processes: Pair
    chance: Random
    done: Counter[str]

    async def run(self, is_over: Callable[[], bool]) -> None:
        while not is_over():
            issued = await exchange(self._any().port, self.world, self.way)
            self.done["exchanged"] += 1
            token = str(issued["access_token"])
            await self._use(token)
            if self.way == "strict":
                await self._renew(str(issued["refresh_token"]))
            if self.chance.random() < 0.7:
                await self._revoke(token)
            await asyncio.sleep(_PAUSE_S)

    async def _use(self, token: str) -> None:
        for process in self.processes:
            assert await self._is_active(process, token), f"{process.name}: a new token is not active"
        bearer = b"Authorization: Bearer " + token.encode()
        # Page 1 would pin a map to each token for half an hour.
        [answer] = await send(self._any().port, get(b"/api/v2/Fleet/Equipment/None", bearer), patience_s=30)
        assert answer.status == 404, f"a new token reads {answer.status}"
        self.done["read with a new token"] += 1

    async def _renew(self, refresh_token: str) -> None:
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        renewed = await ask(self._any().port, "token", self.world, **fields)
        self.done["refreshed"] += 1
        await self._use(str(renewed["access_token"]))
        answer = await ask_raw(self._any().port, "revoke", self.world, token=str(renewed["refresh_token"]))
        assert answer.status == 200, answer
        self.done["families revoked"] += 1

    async def _revoke(self, token: str) -> None:
        answer = await ask_raw(self._any().port, "revoke", self.world, token=token)
        assert answer.status == 200, answer
        heard_at = monotonic() + HEARD_WITHIN_S
        for process in self.processes:
            while asked_at := monotonic():
                if not await self._is_active(process, token):
                    break
                assert asked_at < heard_at, f"{process.name}: a revoked token is active after a second"
        self.done["revoked"] += 1

    async def _is_active(self, process: Process, token: str) -> bool:
        told = await ask(process.port, "introspect", self.world, token=token)
        self.done["introspected"] += 1
        return bool(told["active"])

    def _any(self) -> Process:
        return self.chance.choice(self.processes)
