"""The processes of these tests run on the suite's servers, with a log of each test's own."""

from pathlib import Path

import pytest

from tests.support.server import settings_on


@pytest.fixture
def environment(database_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings of a `rovitracker serve` on this worker's stores, as the environment of its process."""
    return settings_on(database_url, redis_url, tmp_path / "data")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "service.log"
