"""Debian's nginx, HAProxy, PgBouncer and redis-cli: where they are, and `make servers`, which installs those that lack.

Debian starts and enables the servers that it installs. Nobody wants that here: the tests start their own, on loopback.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SERVERS = ("nginx", "haproxy", "pgbouncer", "redis-tools")
# Packages whose programs have other names.
_PROGRAMS = {"redis-tools": "redis-cli", "etcd-server": "etcd"}
_APACHE_MODULES = Path("/usr/lib/apache2/modules")
_APACHE_PACKAGE = "libapache2-mod-"

_SYSTEMD = Path("/run/systemd/system")  # it exists while systemd is the first process
# Another init reads the level here, and starts no server in the level of a single user.
_SINGLE_USER = {"RUNLEVEL": "1", "PREVLEVEL": "N"}
_QUIET = ("-q=2", "-o", "Dpkg::Use-Pty=0")


def program(name: str) -> str | None:
    """Its path. Debian keeps servers where only root's PATH leads."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")


def apache_module(name: str) -> Path | None:
    """Where a module such as `auth_openidc` is, once Debian's package for it is installed."""
    file = _APACHE_MODULES / f"mod_{name}.so"
    return file if file.exists() else None


def _is_there(package: str) -> bool:
    """Most packages have the names of their programs."""
    if package.startswith(_APACHE_PACKAGE):
        return apache_module(package.removeprefix(_APACHE_PACKAGE).replace("-", "_")) is not None
    return program(_PROGRAMS.get(package, package)) is not None


def _unit(package: str) -> str:
    """What its server is called by those who start it."""
    return package.removesuffix("-server")


def main(names: Sequence[str]) -> int:
    """0 when all of them are there."""
    lacking = [name for name in names or SERVERS if not _is_there(name)]
    if not lacking:
        return 0
    reason = _install(lacking)
    lacking = [name for name in lacking if not _is_there(name)]
    for name in lacking:
        sys.stderr.write(f"servers: {name} is not installed: {reason}\n")
    return 1 if lacking else 0


def _install(names: Sequence[str]) -> str:
    """Why one of them may still be lacking."""
    if shutil.which("apt-get") is None:
        return "this system has no apt-get"
    if os.geteuid() != 0:
        return "only root may install packages"
    _apt("update")
    with _kept_from_starting(names):
        for name in names:  # each for itself, so that one that cannot be had stops no other
            _apt("install", "--yes", "--no-install-recommends", name)
    for name in filter(program, map(_unit, names)):
        subprocess.run(["update-rc.d", name, "disable"], check=True)
    return "apt-get could not get it, and says why above"


def _apt(*words: str) -> None:
    """Its exit status is not asked: whether the program is there decides."""
    environment = {**os.environ, **_SINGLE_USER, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", *_QUIET, *words], env=environment, stdout=sys.stderr, check=False)


@contextmanager
def _kept_from_starting(names: Sequence[str]) -> Iterator[None]:
    """systemd starts no masked unit. Other inits, and containers without one, need no mask."""
    if not _SYSTEMD.is_dir():
        yield
        return
    units = [f"{_unit(name)}.service" for name in names]
    subprocess.run(["systemctl", "mask", "--runtime", "--quiet", *units], check=True)
    try:
        yield
    finally:
        subprocess.run(["systemctl", "unmask", "--runtime", "--quiet", *units], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
