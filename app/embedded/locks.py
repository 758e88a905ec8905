"""File locks that end with their holder, however it dies."""

import fcntl
import os
from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def lock_now(lock_fd: int, kind: int) -> bool:
    """Take the lock unless that means waiting; flock belongs to the open file, so only its last close frees it."""
    try:
        fcntl.flock(lock_fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(lock_fd: int) -> None:
    fcntl.flock(lock_fd, fcntl.LOCK_UN)


def try_lock(path: Path, kind: int) -> int | None:
    """A descriptor that holds the lock until it is closed, or None when another holds it."""
    lock_fd = open_lock(path)
    try:
        locked = lock_now(lock_fd, kind)
    except OSError:
        os.close(lock_fd)
        raise
    if locked:
        return lock_fd
    os.close(lock_fd)
    return None
