"""The running service says what its model says, whatever happens to applications, codes and tokens."""

from collections.abc import AsyncIterator

import pytest
from hypothesis.stateful import run_state_machine_as_test

from app.context import Context
from tests.lifecycle.house import House, open_house
from tests.lifecycle.machine import Lifecycle
from tests.support.depth import DEPTH, lives
from tests.support.server import settings_on
from tests.support.spread import COORDINATOR


@pytest.fixture(scope="module")
async def house(
    context: Context, database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    environment = settings_on(database_url, redis_url, tmp_path_factory.mktemp("lifecycle"))
    async with open_house(context, database_url, environment) as house:
        yield house


@pytest.mark.timeout((1200 if COORDINATOR else 120) * DEPTH)
def test_service_and_model_say_the_same_after_every_step(house: House) -> None:
    """R-2, R-7, R-12, R-16, R-20, R-27, O-28, O-43, O-60, O-76, O-93, O-94, O-103, O-105, O-132, O-133, O-157, O-158."""

    class Life(Lifecycle):
        def __init__(self) -> None:
            super().__init__(house)

    for _ in range(DEPTH):
        run_state_machine_as_test(Life, settings=lives(10, steps=30))
