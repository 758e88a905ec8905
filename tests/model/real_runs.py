"""Random runs of the real service over what the models are about, and what was seen of each.

Two callers share a code or a refresh token. They ask alone or at once, by ways on which faults wait: what goes to PostgreSQL,
or its reply, is lost once or twice, Valkey is away, or the answer is lost on its way to the caller. An older copy of Valkey
may come back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal
from uuid import UUID

import httpx2

from app.context import Context
from tests.model.replay import RESTORED, Trace
from tests.support.approvals import approval_for, put_code
from tests.support.browser import Browser
from tests.support.families import begin, read
from tests.support.people import Strict, World
from tests.support.proxy import Proxy

Fault = Literal["none", "request", "reply", "answer", "Valkey"]

_LIKELY: dict[Fault, int] = {
    "none": 4,
    "request": 2,
    "reply": 3,
    "answer": 2,
    "Valkey": 1,
}


@dataclass(frozen=True, slots=True)
class Ways:
    """Processes of the service: as it is, behind a proxy to PostgreSQL, and without Valkey."""

    context: Context
    whole: Browser
    proxied: Browser
    proxy: Proxy
    without_valkey: Browser


@dataclass(slots=True)
class Run:
    """events: as in a trace. subject: the id that a statement carries about the code or token."""

    ways: Ways
    chance: Random
    events: list[tuple[int, str]] = field(default_factory=list)

    async def ask(
        self, caller: int, subject: UUID, request: Callable[[Browser], Awaitable[httpx2.Response]], given: str
    ) -> httpx2.Response | None:
        """One request and what the caller hears, which both become events. None where the answer was lost.

        given: the model's word for an answer that gives something.
        """
        [fault] = self.chance.choices(list(_LIKELY), list(_LIKELY.values()))
        self.events.append((caller, "ASKS"))
        answer = await request(self._way(fault, subject))
        if fault == "answer" or answer.status_code == 503:
            self.events.append((caller, "LATER"))
            return None
        if answer.status_code == 400:
            assert answer.json()["error"] == "invalid_grant"
            self.events.append((caller, "REFUSED"))
        else:
            assert answer.status_code == 200, answer.text
            self.events.append((caller, given))
        return answer

    def _way(self, fault: Fault, subject: UUID) -> Browser:
        if fault == "Valkey":
            return self.ways.without_valkey
        if fault in ("none", "answer"):
            return self.ways.whole
        lose = self.ways.proxy.lose_request if fault == "request" else self.ways.proxy.lose_reply
        lose(subject.bytes, times=self.chance.choice((1, 2)))
        return self.ways.proxied

    def who_asks(self, ready: list[int]) -> list[int]:
        """One of those who may, or all at once."""
        return ready if self.chance.random() < 0.4 else [self.chance.choice(ready)]


async def redeem(ways: Ways, world: World, chance: Random) -> Trace:
    """A code that is redeemed until each caller was told something, or tried four times."""
    approval, code = await approval_for(world, ways.context.database)
    await put_code(ways.context.valkey, approval)
    run = Run(ways, chance)
    tries = [0, 0]
    restored = False

    async def attempt(caller: int) -> None:
        tries[caller] += 1
        answer = await run.ask(
            caller, code.id, lambda browser: world.exchange(browser, code.text), given="TOKEN"
        )
        if answer is not None:
            tries[caller] = 4

    while ready := [caller for caller in (0, 1) if tries[caller] < 4]:
        if not restored and chance.random() < 0.3:
            restored = True
            run.events.append(RESTORED)
            await put_code(ways.context.valkey, approval)
        await asyncio.gather(*(attempt(caller) for caller in run.who_asks(ready)))
    rows = await ways.context.database.rows(
        "SELECT revoked_at IS NOT NULL AS ended FROM authorization_grant WHERE id = $1", code.id
    )
    ended = any(row["ended"] for row in rows)
    return Trace(tuple(run.events), f"grants == {len(rows)} && ended == {int(ended)}")


async def rotate(ways: Ways, strict: Strict, chance: Random) -> Trace:
    """A family whose first refresh token two callers hold; each goes on with the newest that it heard of."""
    first = await begin(ways.context, strict)
    run = Run(ways, chance)
    holds = [first, first]

    async def attempt(caller: int) -> None:
        token = holds[caller]
        answer = await run.ask(
            caller, read(token).id, lambda browser: strict.refresh(browser, token), given="PAIR"
        )
        if answer is not None and answer.status_code == 200:
            holds[caller] = answer.json()["refresh_token"]

    for _ in range(chance.randint(2, 5)):
        await asyncio.gather(*(attempt(caller) for caller in run.who_asks([0, 1])))
    [row] = await ways.context.database.rows(
        "SELECT (SELECT count(*) FROM refresh_token WHERE grant_id = g.id) AS made, g.revoked_at IS NOT NULL AS ended "
        "FROM authorization_grant g JOIN refresh_token t ON t.grant_id = g.id WHERE t.id = $1",
        read(first).id,
    )
    return Trace(tuple(run.events), f"made == {row['made']} && ended == {int(row['ended'])}")
