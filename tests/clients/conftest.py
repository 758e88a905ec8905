"""One service for the tests of a file, as their clients find it."""

from collections.abc import AsyncIterator

import pytest

from app.context import Context
from tests.clients.served import Served, served
from tests.clients.software import CHECKED, INSTALLING

collect_ignore = [] if CHECKED else [f"test_{name}.py" for name in INSTALLING]


@pytest.fixture(scope="module")
async def service(
    context: Context, database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    """A process with a customer, their fleet and their browser, once for a file."""
    async with served(context, database_url, redis_url, tmp_path_factory.mktemp("clients")) as service:
        yield service
