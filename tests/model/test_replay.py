"""What the real service does by chance, the models can do too; what it must never do, they cannot.

PostgreSQL and Valkey are real, and so are the lost replies. CONFORMANCE_DEPTH says how many times as many runs there are.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from app.context import Context
from app.settings import Settings
from app.storage.valkey.valkey import Valkey
from tests.model.real_runs import Ways, redeem, rotate
from tests.model.replay import RESTORED, Trace, possible
from tests.model.search import NotHereError
from tests.support.browser import Browser
from tests.support.depth import DEPTH
from tests.support.people import Strict, World
from tests.support.stores import context_through_proxy
from tests.web.services import Services

RUNS = 16 * DEPTH
GRACE = timedelta(minutes=10)


@pytest.fixture
async def ways(settings: Settings, context: Context, database_url: str) -> AsyncIterator[Ways]:
    services = Services(settings, context)
    policy = replace(context.policy, lifetimes=replace(context.policy.lifetimes, refresh_grace=GRACE))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(services.close)
        through, proxy = await stack.enter_async_context(context_through_proxy(context, database_url))
        proxied = {name: getattr(through, name) for name in ("database", "gathered", "background")}
        away = Valkey("unix:///nowhere/valkey.sock", connections=1, most_waiting=100)
        apps = [services.like(policy=policy, **changes) for changes in ({}, proxied, {"valkey": away})]
        whole, behind, without = [await stack.enter_async_context(Browser(app)) for app in apps]
        yield Ways(context, whole, behind, proxy, without)


def judge(name: str, traces: Sequence[Trace]) -> list[bool]:
    try:
        return possible(name, traces)
    except NotHereError as missing:
        pytest.skip(f"not shown: that the models can do what the service does; {missing}")


async def runs(run: Callable[[Random], Awaitable[Trace]]) -> list[Trace]:
    return [await run(Random(seed)) for seed in range(RUNS)]  # noqa: S311  # the same each time


def seen_in(traces: Sequence[Trace]) -> Counter[str]:
    return Counter(what for trace in traces for _, what in trace.events)


async def test_codes_are_redeemed_as_in_their_model(ways: Ways, context: Context) -> None:
    """R-1, R-2, R-3, R-4, R-5: and never as it cannot be."""
    worlds = [await World.make(context), await Strict.register(context)]
    traces = await runs(lambda chance: redeem(ways, chance.choice(worlds), chance))
    seen = seen_in(traces)
    assert min(seen[what] for what in ("TOKEN", "REFUSED", "LATER", RESTORED[1])) > 0, seen
    replayed = [trace for trace in traces if {"TOKEN", "REFUSED"} <= {what for _, what in trace.events}]
    assert replayed
    assert_told_apart(
        "code", traces, [wrong(trace) for trace in replayed for wrong in (with_two_tokens, unended)]
    )


async def test_refresh_tokens_are_spent_as_in_their_model(ways: Ways, context: Context) -> None:
    """R-4, R-11, R-12: and never as it cannot be, with the grace on."""
    strict = await Strict.register(context)
    traces = await runs(lambda chance: rotate(ways, strict, chance))
    seen = seen_in(traces)
    assert min(seen[what] for what in ("PAIR", "REFUSED", "LATER")) > 0, seen
    refused = [trace for trace in traces if any(what == "REFUSED" for _, what in trace.events)]
    assert_told_apart("refresh", traces, [*map(unended, refused), *map(with_more, traces)])


def assert_told_apart(name: str, seen: Sequence[Trace], wrong: Sequence[Trace]) -> None:
    """The model can do what was seen, and nothing of what is wrong."""
    judged = judge(name, [*seen, *wrong])
    assert [trace for trace, fits in zip(seen, judged, strict=False) if not fits] == []
    assert [trace for trace, fits in zip(wrong, judged[len(seen) :], strict=True) if fits] == []


def with_two_tokens(trace: Trace) -> Trace:
    """The same, as if a caller who was refused beside the one with a token had got one too."""
    events = ((caller, "TOKEN" if what == "REFUSED" else what) for caller, what in trace.events)
    return replace(trace, events=tuple(events))


def unended(trace: Trace) -> Trace:
    """The same, as if the database showed that nothing had been ended."""
    return replace(trace, left=trace.left.replace("ended == 1", "ended == 0"))


def with_more(trace: Trace) -> Trace:
    """The same, as if the database had more refresh tokens than requests can have made."""
    return replace(trace, left=f"made > {1 + sum(what == 'ASKS' for _, what in trace.events)}")


ASKS_0, ASKS_1 = (0, "ASKS"), (1, "ASKS")
TOKEN_0, REFUSED_0, REFUSED_1, LATER_0 = (0, "TOKEN"), (0, "REFUSED"), (1, "REFUSED"), (0, "LATER")
PAIR_0, PAIR_1 = (0, "PAIR"), (1, "PAIR")


def test_model_of_codes_tells_what_can_be_from_what_cannot() -> None:
    used_twice = (ASKS_0, TOKEN_0, ASKS_1, REFUSED_1)
    can_be = [
        Trace((ASKS_0, TOKEN_0), "grants == 1 && ended == 0"),
        Trace(used_twice, "grants == 1 && ended == 1"),
        Trace((ASKS_0, LATER_0, ASKS_0, REFUSED_0), "grants == 1 && ended == 1"),
        Trace((ASKS_0, LATER_0, ASKS_0, TOKEN_0), "grants == 1 && ended == 0"),
        Trace((ASKS_0, TOKEN_0, RESTORED, ASKS_1, REFUSED_1), "grants == 1 && ended == 1"),
    ]
    cannot = [
        Trace((ASKS_0, TOKEN_0), "grants == 0"),
        Trace(used_twice, "grants == 1 && ended == 0"),
        Trace((ASKS_0, ASKS_1, TOKEN_0, (1, "TOKEN")), "grants == 1"),
        Trace((ASKS_0, TOKEN_0, RESTORED, ASKS_1, (1, "TOKEN")), "grants == 1"),
        Trace((ASKS_0, REFUSED_0), "grants == 0"),
        Trace((ASKS_1, REFUSED_1, ASKS_0, TOKEN_0), "grants == 1"),
    ]
    assert judge("code", [*can_be, *cannot]) == [True] * len(can_be) + [False] * len(cannot)


def test_model_of_refresh_tokens_tells_what_can_be_from_what_cannot() -> None:
    repeated = (ASKS_0, LATER_0, ASKS_1, PAIR_1)
    can_be = [
        Trace((ASKS_0, PAIR_0, ASKS_1, PAIR_1), "made == 3 && ended == 0"),
        Trace((*repeated, ASKS_0, REFUSED_0), "made == 3 && ended == 1"),
        Trace((*repeated, ASKS_0, PAIR_0), "made == 3 && ended == 0"),  # the first request never came
        Trace((ASKS_0, LATER_0), "made == 1 && ended == 0"),
    ]
    cannot = [
        Trace((ASKS_0, PAIR_0, ASKS_1, PAIR_1), "made == 2"),
        Trace((*repeated, ASKS_0, REFUSED_0), "ended == 0"),
        Trace((ASKS_0, REFUSED_0), "true"),
        Trace((*repeated, ASKS_0, REFUSED_0, ASKS_1, PAIR_1), "true"),
    ]
    assert judge("refresh", [*can_be, *cannot]) == [True] * len(can_be) + [False] * len(cannot)
