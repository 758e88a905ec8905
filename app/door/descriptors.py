"""The files and sockets a process may have open, and how many of them are left for connections (R-111)."""

import resource
import sys

import structlog

# The loop's own, logs, memory of metrics, held statements, pictures that are decoded, and what libraries open.
RESERVE = 64

_log = structlog.get_logger()


def hard_limit() -> int:
    """Up to here a process may raise its own limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


def raise_limit() -> None:
    """Raise what the shell allows to what the machine allows: shells and init systems often begin with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as error:  # macOS names a hard limit that it does not give
        _log.warning("limit of open files not raised", limit=soft, hard=hard, detail=str(error))


def most_connections(limit: int, *, stores: int) -> int:
    """How many connections of clients fit under a limit, beside the stores' and a reserve."""
    return max(0, limit - stores - RESERVE)


def fitting_connections(wanted: int, *, stores: int) -> int:
    """The number wanted, or as many as fit: one more would take the descriptor that a store's connection needs."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    fit = wanted if soft == resource.RLIM_INFINITY else most_connections(soft, stores=stores)
    if fit < wanted:
        _log.warning("fewer connections than set", set=wanted, fit=fit, open_files=soft)
    return min(fit, wanted)
