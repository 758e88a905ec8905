"""A PostgreSQL that is too old is refused by one sentence, before anything is written."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.storage.schema.migrations import apply_migrations, read_migrations, read_status
from app.storage.schema.requirements import UnfitServerError, require_version
from tests.support.clusters import own_folder, run_cluster


@pytest.mark.parametrize(("number", "version"), [(159_999, "15.99"), (90_624, "9.6.24")])
def test_versions_before_16_are_refused(number: int, version: str) -> None:
    with pytest.raises(
        UnfitServerError, match=f"PostgreSQL {version} is too old: use PostgreSQL 16 or newer"
    ):
        require_version(number, version)


def test_version_16_is_taken() -> None:
    require_version(160_000, "16.0")


def old_programs() -> Path | None:
    """Debian's folder of an old version's programs."""
    return next((folder for folder in sorted(Path("/usr/lib/postgresql").glob("1[0-5]/bin"))), None)


@pytest.fixture
def old_server() -> Iterator[str]:
    programs = old_programs()
    if programs is None or not (programs / "initdb").exists():
        pytest.skip("not shown: a real PostgreSQL older than 16, which this machine does not have")
    with own_folder() as folder, run_cluster(programs, folder) as cluster:
        yield cluster.url


def test_a_real_old_server_is_refused_by_that_sentence(old_server: str) -> None:
    for asked in (apply_migrations, read_status):
        with pytest.raises(UnfitServerError, match=r"PostgreSQL 1[0-5]\..* is too old"):
            asyncio.run(asked(old_server, read_migrations()))
