"""A real process that remembers tokens answers as its model can, while its connection stands, is cut and falls silent.

CONFORMANCE_DEPTH says how many times as long it is watched.
"""

import asyncio
from contextlib import AsyncExitStack
from random import Random

import pytest

from app.context import Context
from app.settings import Settings
from tests.model.real_memory import MOST_FAULTS, TICKS, remembering, watch
from tests.model.replay import TICK, Trace, possible
from tests.model.search import NotHereError
from tests.support.browser import Browser
from tests.support.depth import DEPTH
from tests.support.people import Strict
from tests.web.services import Services

TOKENS = 2  # of each process
ASKS, ACTIVE, INACTIVE = (0, "ASKS"), (0, "ACTIVE"), (0, "INACTIVE")
ENDS, ENDED = (0, "ENDS"), (0, "ENDED")


def judge(traces: list[Trace]) -> list[bool]:
    try:
        return possible("memory", traces, BELIEVED=TICKS, MOST_BREAKS=MOST_FAULTS + 1)
    except NotHereError as missing:
        pytest.skip(f"not shown: that the memory of tokens does what its model can; {missing}")


@pytest.mark.parametrize("seed", range(DEPTH))
async def test_tokens_are_remembered_and_forgotten_as_in_their_model(
    seed: int, settings: Settings, context: Context, browser: Browser, database_url: str
) -> None:
    """R-16: and never longer."""
    strict, services = await Strict.register(context), Services(settings, context)
    chance = Random(seed)  # noqa: S311  # chances, not secrets
    async with AsyncExitStack() as stack:
        watches = []
        for faults in (0, MOST_FAULTS):
            ground = await stack.enter_async_context(remembering(services, context, database_url, browser))
            tokens = [(await strict.pair(browser)).access for _ in range(TOKENS)]
            watches.append(watch(ground, strict, tokens, chance, faults=faults))
        traces = [trace for each in await asyncio.gather(*watches) for trace in each]
    assert all(ACTIVE in trace.events for trace in traces)
    wrong = [active_for_ever(trace) for trace in traces]
    judged = judge([*traces, *wrong])
    assert [trace for trace, fits in zip(traces, judged, strict=False) if not fits] == []
    assert [trace for trace, fits in zip(wrong, judged[len(traces) :], strict=True) if fits] == []


def active_for_ever(trace: Trace) -> Trace:
    """The same, as if nobody had ever heard that the token ended."""
    return Trace(tuple(ACTIVE if each == INACTIVE else each for each in trace.events), trace.left)


def test_model_of_the_memory_tells_what_can_be_from_what_cannot() -> None:
    used = (ASKS, ACTIVE)
    ended = (ENDS, ENDED)
    can_be = [
        (*used, *used, *ended, TICK, TICK, *used),
        (*used, ENDS, ASKS, INACTIVE, ENDED),
        (*used, *ended, ASKS, INACTIVE, *used),
    ]
    cannot = [
        (*used, *used, *ended, TICK, TICK, TICK, *used),
        (*used, *ended, ASKS, INACTIVE, TICK, TICK, TICK, *used),
        (ASKS, INACTIVE),
        (*ended, *used),
    ]
    judged = judge([Trace(events, "true") for events in (*can_be, *cannot)])
    assert judged == [True] * len(can_be) + [False] * len(cannot)
