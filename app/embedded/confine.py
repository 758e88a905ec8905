"""Becomes the program named on its command line: without root's rights, and not outliving its parent.

Run as a script by the keeper, with the standard library alone: doing this between fork and exec instead would
run Python in a child of a process that has threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

# It has nothing of the caller's environment: PGHOST or LD_PRELOAD would change what the servers do.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def confine(uid: int, gid: int, parent_pid: int, death_signal: int) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":  # elsewhere the next keeper ends what this one left
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _prctl(_PR_SET_PDEATHSIG, death_signal)  # only now: a change of user clears it
    if os.getppid() != parent_pid:  # the parent died before it could be watched
        raise SystemExit(1)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    unused = ctypes.c_ulong(0)
    if libc.prctl(option, ctypes.c_ulong(value), unused, unused, unused) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    *numbers, program = sys.argv[1:6]
    confine(*map(int, numbers))
    os.execve(program, sys.argv[5:], _ENVIRONMENT)  # noqa: S606 - no shell is the point; the keeper names the program
