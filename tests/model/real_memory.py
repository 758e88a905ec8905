"""A while of a real process that remembers tokens, and what was seen of each of them.

It hears of changes on a connection that falls silent or is cut by chance. Each token is asked about again and again, and is
revoked once, at another process.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlencode, urlsplit

from app.context import Context
from app.storage.postgres.changes import BELIEVED_FOR_S, Changes
from tests.model.replay import TICK, Trace
from tests.support.browser import Browser
from tests.support.changing import until
from tests.support.people import Strict
from tests.support.proxy import Proxy, proxy_to
from tests.support.stores import gathered_on
from tests.web.services import Services

# So many ticks begin within the time that a probe is worth, at most.
TICKS = 3
_TICK_S = BELIEVED_FOR_S / (TICKS - 1)
_LONGEST_S = TICKS * _TICK_S + 0.1  # after the end of a token that may be called active
MOST_FAULTS = 2


@dataclass(frozen=True, slots=True)
class Remembering:
    """remembering: a process that hears of changes through the proxy. other: one that ends tokens."""

    remembering: Browser
    other: Browser
    proxy: Proxy


@dataclass(slots=True)
class Watch:
    """What was seen of one token, and the ticks of a clock that all of them share."""

    began: float
    events: list[tuple[int, str]] = field(default_factory=list)
    ticks: int = 0

    def see(self, what: str) -> None:
        """Ticks that began before this are told before it."""
        now = int((time.monotonic() - self.began) / _TICK_S)
        self.events += [TICK] * (now - self.ticks)
        self.ticks = now
        self.events.append((0, what))


@asynccontextmanager
async def remembering(
    services: Services, context: Context, database_url: str, other: Browser
) -> AsyncIterator[Remembering]:
    """A process that has begun to listen."""
    address = urlsplit(database_url)
    [folder] = parse_qs(address.query)["host"]
    changes = Changes()
    async with proxy_to(str(Path(folder) / ".s.PGSQL.5432")) as proxy:
        query = urlencode({"host": Path(proxy.path).parent})
        changes.listen(address._replace(query=query).geturl())
        gathered = gathered_on(context, context.database, changes)
        try:
            await until(lambda: changes.current)
            async with Browser(services.like(changes=changes, gathered=gathered)) as browser:
                yield Remembering(browser, other, proxy)
        finally:
            await changes.close()
            await gathered.close()


async def watch(
    ground: Remembering, strict: Strict, tokens: list[str], chance: Random, *, faults: int
) -> list[Trace]:
    """Two or three seconds. The last answers come when each end must have been heard.

    faults: how many befall the connection, up to MOST_FAULTS.
    """
    began = time.monotonic()

    async def ask(seen: Watch, token: str) -> None:
        seen.see("ASKS")
        answer = await strict.introspect(ground.remembering, token)
        seen.see("ACTIVE" if answer["active"] else "INACTIVE")

    async def live(token: str, own: Random) -> Trace:
        seen, ends_at = Watch(began), began + own.uniform(0.1, 1.2)
        await ask(seen, token)
        while time.monotonic() < ends_at:
            await asyncio.sleep(own.uniform(0.05, 0.3))
            await ask(seen, token)
        seen.see("ENDS")
        assert (await strict.revoke(ground.other, token)).status_code == 200
        seen.see("ENDED")
        heard_by = time.monotonic() + _LONGEST_S
        while time.monotonic() < heard_by:
            await asyncio.sleep(own.uniform(0.05, 0.3))
            await ask(seen, token)
        return Trace(tuple(seen.events), "true")

    async def disturb() -> None:
        for fault in chance.sample(("cut", "silence"), faults):
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            if fault == "cut":
                ground.proxy.cut()
                continue
            ground.proxy.fall_silent()
            await asyncio.sleep(chance.uniform(0.3, 2.0))
            ground.proxy.speak()

    async with asyncio.TaskGroup() as group:
        group.create_task(disturb())
        lives = [group.create_task(live(token, Random(chance.random()))) for token in tokens]  # noqa: S311  # chances, not secrets
    return [each.result() for each in lives]
