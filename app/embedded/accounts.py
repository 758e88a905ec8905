"""The numeric accounts that stand in for root, which PostgreSQL refuses to run as."""

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import EmbeddedError

# Nothing hands out ids here by itself: systemd's containers end at 1879048191, below 2**31 is the end of safe ids.
_HIGH_IDS = range(0x7000_0000, 0x7FFF_FFFF)
_LOW_IDS = range(30_000, 60_000)  # for a rootless container, which knows 65,536 ids only
_BUILDERS = ("nobody", "daemon", "bin")


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int


def choose_account(server_id: str) -> Account | None:
    """The account that new servers run as: the caller's, or for root a number that nobody else has.

    Raises EmbeddedError when a container maps no number for root to use.
    """
    if os.geteuid() != 0:
        return None
    for ids in (_HIGH_IDS, _LOW_IDS):
        number = ids[int(server_id, 16) % len(ids)]
        if _is_mapped(number) and _is_free(number):
            return Account(number, number)
    raise EmbeddedError(
        "as root the private servers need a user id of their own and this container maps none: "
        "start as an ordinary user, or set ROVITRACKER_DATABASE_URL and ROVITRACKER_REDIS_URL"
    )


def builder(gid: int) -> Account:
    """The account that initdb runs as: it insists on a name in the passwd file, so it borrows one.

    The private group keeps other processes of that name out: folders open to the group alone, and no ptrace.
    Raises EmbeddedError when the file has none of the usual names.
    """
    for name in _BUILDERS:
        try:
            return Account(pwd.getpwnam(name).pw_uid, gid)
        except KeyError:
            continue
    raise EmbeddedError(
        f"initdb cannot run as root and none of {', '.join(_BUILDERS)} is in /etc/passwd: add one"
    )


def require_name() -> None:
    """Raises EmbeddedError, before initdb does and more clearly, when the user has no name."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EmbeddedError(
            f"initdb needs a name for user {os.geteuid()} and /etc/passwd has none: add one, or set "
            "ROVITRACKER_DATABASE_URL and ROVITRACKER_REDIS_URL"
        ) from None


def give(tree: Path, account: Account) -> None:
    """Change the owner of everything below `tree`, and of nothing a link in it points at."""
    for _, folders, files, folder_fd in os.fwalk(tree):
        for name in (*folders, *files):
            os.chown(name, account.uid, account.gid, dir_fd=folder_fd, follow_symlinks=False)


def _is_mapped(number: int) -> bool:
    for kind in ("uid", "gid"):
        try:
            lines = Path(f"/proc/self/{kind}_map").read_text("utf-8").splitlines()
        except FileNotFoundError:  # no user namespaces on this system
            continue
        spans = [(int(first), int(count)) for first, _, count in map(str.split, lines)]
        if not any(first <= number < first + count for first, count in spans):
            return False
    return True


def _is_free(number: int) -> bool:
    for look_up in (pwd.getpwuid, grp.getgrgid):
        try:
            look_up(number)
        except KeyError:
            continue
        return False
    return True
