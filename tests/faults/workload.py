"""The load of a schedule: lives of codes and of client tokens, many at once, each with what may befall it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any

from app.oauth.token_string import TokenString
from bench.ground.codes import Application
from tests.faults.callers import Answered, Callers
from tests.faults.supplies import Supplies

_LONGEST_LIFE_S = 90.0
_A_SECOND_AFTER_S = 1.15  # later than that, what was revoked is revoked everywhere
_DOORS = (0, 1)


@dataclass(slots=True)
class Held:
    """The tokens that a life was given, in order. ended: whether it has asked for something that ends tokens."""

    access: list[str] = field(default_factory=list)
    refresh: list[str] = field(default_factory=list)
    ended: bool = False

    def take(self, answered: Answered) -> bool:
        if answered.outcome != "ok":
            return False
        self.access.append(answered.token("access_token"))
        if "refresh_token" in answered.document:
            self.refresh.append(answered.token("refresh_token"))
        return True


class Workload:
    """Lives until it is told to stop; those that have begun are lived to their end."""

    def __init__(self, callers: Callers, supplies: Supplies, chance: Random, *, at_once: int) -> None:
        self._callers = callers
        self._supplies = supplies
        self._chance = chance
        self._at_once = at_once

    async def run(self) -> None:
        await asyncio.gather(*(self._live_on() for _ in range(self._at_once)))

    async def _live_on(self) -> None:
        while not self._callers.stop.is_set():
            life = self._client_token() if self._chance.random() < 0.15 else self._code()
            async with asyncio.timeout(_LONGEST_LIFE_S):
                await life

    def _likely(self, probability: float) -> bool:
        return self._chance.random() < probability

    async def _client_token(self) -> None:
        application = self._chance.choice(self._supplies.with_own_customer)
        answered = await self._callers.issue(application)
        if answered.outcome != "ok":
            return
        held = Held([answered.token("access_token")])
        life = answered.operation.life
        await self._look(application, life, held, times=3)
        if self._likely(0.6):
            held.ended = True
            await self._end_while_others_look(
                application, life, held, [self._callers.revoke(application, life, held.access[0])]
            )
        await self._look_everywhere(application, life, held)

    async def _code(self) -> None:
        strict = self._likely(0.65)
        application, code = await self._supplies.code(strict=strict)
        life, held = str(code.id), Held()
        if self._likely(0.3):  # it waits, as codes do whose browser is slow
            await asyncio.sleep(self._chance.uniform(0.0, 1.5))
        await self._redeem(application, code, held)
        if not held.access:
            return
        await self._look(application, life, held, times=2)
        if strict:
            await self._refresh(application, life, held)
        if held.ended or self._likely(0.75):
            await self._end(application, code, held)
        if self._likely(0.25):
            await self._end_while_others_look(
                application, life, held, [self._callers.redeem(application, code)]
            )
        await self._look_everywhere(application, life, held)

    async def _redeem(self, application: Application, code: TokenString, held: Held) -> None:
        """Often by several, at times beside a stranger; and again where nobody knows what became of it."""
        attempts = self._chance.choice((1, 1, 1, 2, 3))
        asking = [self._redeem_late(application, code) for _ in range(attempts)]
        if self._likely(0.08):
            asking.append(self._callers.redeem(self._supplies.another(application), code, wrong=True))
        self._chance.shuffle(asking)
        answers = await asyncio.gather(*asking)
        for _ in range(2):
            if any(held.take(each) for each in answers) or all(each.outcome != "open" for each in answers):
                break
            await asyncio.sleep(self._chance.uniform(0.02, 0.6))
            answers = [await self._callers.redeem(application, code)]
        held.ended = len(answers) > 1 or attempts > 1

    async def _redeem_late(self, application: Application, code: TokenString) -> Answered:
        """At once, or after others have seen its grant: a store may have been set back meanwhile."""
        if self._likely(0.25):
            await asyncio.sleep(self._chance.uniform(0.0, 2.0))
        return await self._callers.redeem(application, code)

    async def _refresh(self, application: Application, life: str, held: Held) -> None:
        for _ in range(self._chance.choice((0, 1, 2, 3, 4))):
            token = held.refresh[-1]
            at_once = 2 if self._likely(0.12) else 1
            answers = await asyncio.gather(
                *(self._callers.refresh(application, life, token) for _ in range(at_once))
            )
            if not [each for each in answers if held.take(each)]:
                if any(each.outcome == "open" for each in answers) and self._likely(0.7):
                    held.take(await self._callers.refresh(application, life, token))
                if held.refresh[-1] == token:
                    return
            await self._look(application, life, held, times=1)

    async def _end(self, application: Application, code: TokenString, held: Held) -> None:
        """One or two of all that ends something."""
        life, callers = str(code.id), self._callers
        ways: list[Coroutine[Any, Any, Answered]] = []
        for way in self._chance.sample(
            ("access", "refresh", "code", "spent"), self._chance.choice((1, 1, 2))
        ):
            if way == "access":
                ways.append(callers.revoke(application, life, self._chance.choice(held.access)))
            elif way == "refresh" and held.refresh:
                ways.append(callers.revoke(application, life, self._chance.choice(held.refresh)))
            elif way == "code":
                ways.append(callers.redeem(application, code))
            elif way == "spent" and len(held.refresh) > 1:
                ways.append(callers.refresh(application, life, self._chance.choice(held.refresh[:-1])))
        await self._end_while_others_look(application, life, held, ways)
        if held.refresh and self._likely(0.5):
            held.take(await callers.refresh(application, life, held.refresh[-1]))

    async def _end_while_others_look(
        self,
        application: Application,
        life: str,
        held: Held,
        ways: list[Coroutine[Any, Any, Answered]],
    ) -> None:
        looking = self._look(application, life, held, times=2)
        answers = await asyncio.gather(*ways, looking)
        for _ in range(2):  # whoever asked for an end and heard nothing asks again
            if all(each is None or each.outcome != "open" for each in answers):
                break
            await asyncio.sleep(self._chance.uniform(0.05, 0.4))
            answers = [await self._callers.revoke(application, life, (held.refresh or held.access)[-1])]
        await asyncio.sleep(self._chance.uniform(0.0, 0.3))
        await self._look(application, life, held, times=1)
        await asyncio.sleep(_A_SECOND_AFTER_S)

    async def _look(self, application: Application, life: str, held: Held, *, times: int) -> None:
        for _ in range(times):
            token = self._chance.choice(held.access)
            if self._likely(0.5):
                await self._callers.introspect(application, life, token)
            else:
                await self._callers.read(life, token)
            await asyncio.sleep(self._chance.uniform(0.0, 0.05))

    async def _look_everywhere(self, application: Application, life: str, held: Held) -> None:
        """Every token at each instance, and the newest refresh token."""
        for token in held.access[-6:]:
            for door in _DOORS:
                await self._callers.introspect(application, life, token, door)
                await self._callers.read(life, token, door)
        if held.refresh:
            await self._callers.introspect(application, life, held.refresh[-1])
