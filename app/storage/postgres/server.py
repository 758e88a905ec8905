"""Sessions of the service are on the server that takes writes, and answer after the disk."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg

from app.storage.errors import ForgetfulSessionError, StandbyError

DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

# Our own word, whatever the server, the database or the role says. A pooler takes no such parameter.
DURABLE = {"synchronous_commit": "on"}


# It takes the connection and is still starting, or has none left.
_NOT_YET = (asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)


def gets_ready(error: Exception) -> bool:
    """Whether a server that could not be used is there: it was slow to answer, is starting, or is full."""
    return isinstance(error.__cause__, (TimeoutError, *_NOT_YET))


class Server:
    """The hosts of an address. New sessions begin with the host that took the last one."""

    def __init__(self, dsn: str) -> None:
        self._hosts = tuple(hosts_of(dsn))
        self._next = 0

    async def connect(self, *_: object, timeout: float, **options: Any) -> Any:  # noqa: ASYNC109  # the pool's own name
        """A session of a host that takes writes. Each host has its share of the time, so that a silent one is passed.

        Raises StandbyError when all that answered are standbys or read-only.
        """
        failure: Exception | None = None
        for _attempt in self._hosts:
            dsn = self._hosts[self._next]
            self._next = (self._next + 1) % len(self._hosts)  # before the wait, which may be given up
            try:
                session = await asyncpg.connect(
                    dsn, timeout=timeout / len(self._hosts), target_session_attrs="read-write", **options
                )
            except asyncpg.TargetServerAttributeNotMatched:
                failure = StandbyError("PostgreSQL takes no writes: it is a standby, or read-only")
            except DRIVER_ERRORS as error:
                failure = failure or error
            else:
                self._next = self._hosts.index(dsn)
                return session
        assert failure is not None  # noqa: S101  # an address has a host
        raise failure


def hosts_of(dsn: str) -> Iterator[str]:
    """An address for each host that this one names."""
    parts = urlsplit(dsn)
    login, at, hosts = parts.netloc.rpartition("@")
    if "," in hosts:
        yield from (parts._replace(netloc=f"{login}{at}{host}").geturl() for host in hosts.split(","))
        return
    parameters = parse_qs(parts.query, keep_blank_values=True)
    named, ports = (parameters.get(name, [""])[-1].split(",") for name in ("host", "port"))
    for at_place, host in enumerate(named):
        if len(named) == 1:
            yield dsn
            return
        one = {**parameters, "host": [host]}
        if ports != [""]:
            one["port"] = [ports[at_place if len(ports) > 1 else 0]]
        yield parts._replace(query=urlencode(one, doseq=True)).geturl()


async def refuse_forgetful(session: Any) -> None:
    """Refuse a pooler's session that answers before a commit is on disk. Raises ForgetfulSessionError then."""
    row = await session.fetchrow(
        "SELECT current_setting('synchronous_commit') AS word, session_user AS login"
    )
    if row["word"] == "off":
        raise ForgetfulSessionError(
            "synchronous_commit is off behind the pooler, so an answered token could be lost: run "
            f'ALTER ROLE "{row["login"]}" SET synchronous_commit = on, then RECONNECT in the pooler'
        )
