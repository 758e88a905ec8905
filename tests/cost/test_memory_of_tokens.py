"""A process holds two kilobytes at most for each token that it remembers."""

import gc
import tracemalloc

from app.context import Context
from app.oauth.token_string import TokenString, parse
from tests.support.browser import Browser
from tests.support.people import Strict, World

MANY = 100
MOST_BYTES = 2048


async def test_a_remembered_token_takes_two_kilobytes_at_most(context: Context, browser: Browser) -> None:
    """R-109: as the settings say. A text that all of them have counts for each."""
    strict = await Strict.register(context)
    tokens: list[TokenString] = []
    pair = await strict.pair(browser)
    for _ in range(MANY):
        pair = await strict.refreshed(browser, pair.refresh)
        token = parse(pair.access)
        assert token is not None
        tokens.append(token)
    remembered = context.gathered.strict_tokens
    await remembered.find(tokens[0].id)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for token in tokens[1:]:
            assert await remembered.find(token.id) is not None
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / (MANY - 1) <= MOST_BYTES


async def test_a_token_that_is_read_anew_takes_no_more_room(context: Context, browser: Browser) -> None:
    """R-112: a remembered one is, once a minute."""
    world = await World.make(context)
    token = await world.token(browser)
    told = await world.introspect(browser, token)
    described = len(context.descriptions)
    for _ in range(5):
        context.changes.note((world.member.customer_id, world.registered.client.id))
        assert await world.introspect(browser, token) == told
    assert len(context.descriptions) == described
