"""The servers' home: made once, as a whole or not at all, and never silently replaced by an empty one."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from app.embedded.accounts import builder, give, require_name
from app.embedded.errors import EmbeddedError
from app.embedded.folders import Folders, Record, open_state_root, sync_folder
from app.embedded.locks import EXCLUSIVE, lock_now
from app.embedded.postgres import check_version, create_cluster
from app.embedded.processes import end_strays
from app.embedded.software import Software, copy_software


def settle_home(folders: Folders, software: Software) -> Record:
    """Make the home if there never was one, else check it.

    Raises EmbeddedError when its record or its data is gone, or another PostgreSQL made it.
    """
    record = Record.load(folders) or _first_record(folders)
    home = record.home(folders)
    if not record.complete:
        if not home.exists():  # else the maker died between naming the home and noting it
            _make_home(home, record, software)
        record = replace(record, complete=True)
        record.save(folders)
    _check_home(home, folders)
    return record


def lock_home(home: Path) -> int:
    """Keep two data directories, one a copy of the other, from running servers on one home.

    The lock is held until the descriptor is closed. Raises EmbeddedError when the other one holds it.
    """
    home_fd = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    if not lock_now(home_fd, EXCLUSIVE):
        os.close(home_fd)
        raise EmbeddedError(f"{home} is in use by another data directory, of which this one must be a copy")
    return home_fd


def _first_record(folders: Folders) -> Record:
    if (folders.private / "servers").exists():
        raise EmbeddedError(
            f"{folders.record} is gone, and with it the passwords of the data beside it: restore it"
        )
    record = Record.new()
    record.save(folders)
    return record


def _make_home(home: Path, record: Record, software: Software) -> None:
    """Build beside the final place and come in by one rename, so that an interrupted start can be repeated."""
    staging = home.with_name(f"{home.name}.new")
    _clear(staging)
    if record.account is None:
        require_name()
    else:
        open_state_root()
    staging.mkdir(mode=0o700)
    for name in ("postgres", "valkey", "run"):
        (staging / name).mkdir(mode=0o700)
    _fill(staging, record, software)
    os.sync()
    staging.rename(home)
    sync_folder(home.parent)


def _fill(staging: Path, record: Record, software: Software) -> None:
    cluster = staging / "postgres"
    if record.account is None:
        create_cluster(software, cluster, record, None)
        return
    maker = builder(record.account.gid)
    copied = copy_software(software, staging)
    give(staging, maker)
    os.chown(staging, 0, maker.gid)
    staging.chmod(0o710)  # the maker's own processes pass by their private group, others of its name do not
    create_cluster(copied, cluster, record, maker)
    give(staging, record.account)
    os.chown(staging, record.account.uid, record.account.gid)
    staging.chmod(0o700)


def _clear(staging: Path) -> None:
    """Remove what an interrupted making left; its initdb may just be dying."""
    if staging.exists():
        cluster = staging / "postgres"
        end_strays(cluster, "postgres", cluster / "postmaster.pid")
        shutil.rmtree(staging)


def _check_home(home: Path, folders: Folders) -> None:
    if not (home / "postgres" / "PG_VERSION").exists() or not (home / "valkey").is_dir():
        raise EmbeddedError(
            f"{folders.record} says that the data lies in {home}, and there it is not: restore that folder, "
            f"or delete {folders.private} to begin with an empty database"
        )
    check_version(home / "postgres")
