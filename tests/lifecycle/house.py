"""The running service: two processes, each at its own address, and what changes things beside them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg

from app.context import Context
from app.door.bounds import Bounds
from app.flows.account.add_operator import OperatorError, add_operator
from app.flows.account.register_application import RegisteredApplication, register_application
from app.oauth.actor import COMMAND_LINE
from tests.support.people import PASSWORD
from tests.support.raw import RawAnswer, send
from tests.support.server import free_port, running_service

PROCESSES = (0, 1)
OPERATOR = "olga@rovitracker.example"
CODE_LIFE_S = 600  # a busy machine takes its time between two steps

_AT_ONCE = 1 + Bounds().pipelined

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class House:
    """A context and the database's owner beside the processes; watcher: who may ask about every access token."""

    ports: Sequence[int]
    context: Context
    owner: Any
    watcher: RegisteredApplication
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Wait for work on the suite's own loop, since a rule of hypothesis is no coroutine."""
        return self.loop.run_until_complete(work)

    async def ask(self, process: int, requests: Sequence[bytes]) -> list[RawAnswer]:
        """One after another, as many on one connection as may wait there."""
        answers: list[RawAnswer] = []
        for start in range(0, len(requests), _AT_ONCE):
            some = requests[start : start + _AT_ONCE]
            answers += await send(self.ports[process], b"".join(some), answers=len(some))
        assert len(answers) == len(requests)
        return answers


@asynccontextmanager
async def open_house(
    context: Context,
    owner_url: str,
    settings: dict[str, str],
    *,
    of_each: Sequence[dict[str, str]] = ({}, {}),
) -> AsyncIterator[House]:
    """settings: which stores the context is on, and more. of_each: more settings, of each process.

    Both processes have the same keys and the same origin. They take tokens of a former system for another year or two.
    """
    ports = [free_port() for _ in PROCESSES]
    origin = f"http://localhost:{ports[0]}"  # of both, as behind a proxy
    environment = {
        **settings,
        "ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4,
        "ROVITRACKER_PUBLIC_URL": origin,
        "ROVITRACKER_CODE_LIFETIME": f"{CODE_LIFE_S}s",
        "ROVITRACKER_LEGACY_TOKENS_UNTIL": f"{context.now().year + 2}-01-01",
        "ROVITRACKER_LIMIT_FAILURES": "1000000",
        "ROVITRACKER_LOG_LEVEL": "error",
    }
    async with AsyncExitStack() as stack:
        services = (
            running_service(port=port, settings={**environment, **more})
            for port, more in zip(ports, of_each, strict=True)
        )
        await asyncio.gather(*map(stack.enter_async_context, services))
        owner = await asyncpg.connect(owner_url)
        stack.push_async_callback(owner.close)
        audience = f"{origin}/api"
        watcher = await register_application(
            context, COMMAND_LINE, name="Watcher", company="Ours", audience=audience
        )
        with suppress(OperatorError):  # another house on this database has her already
            await add_operator(
                context, COMMAND_LINE, email=OPERATOR, name="Olga", role="reviewer", password=PASSWORD
            )
        yield House(ports, context, owner, watcher, asyncio.get_running_loop())
