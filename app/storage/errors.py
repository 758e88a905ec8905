"""A statement ends done, proven not done, or unknown; every connection loss and time-out is unknown."""

import asyncpg

from app.refused import ToldError
from app.sentence import Sentence

# Classes in which PostgreSQL cannot say whether the statement took effect: the connection broke (08), the server
# is going down (57P), its surroundings failed (58). A pooler speaks in these classes too.
_UNKNOWN = ("08", "57P", "58")

READ_ONLY = "25006"

# Classes of refusals that pass by themselves: rolled back for another transaction (40), no connection, memory or disk
# left (53), in use by somebody else (55), cancelled from outside (57); and a standby, until it is promoted (25006).
_PASSING = (READ_ONLY, "40", "53", "55", "57")


class PassingError(ToldError):
    """A store is away or busy, which passes. Callers from outside learn no more than that."""

    code = "temporarily_unavailable"
    status = 503
    title = Sentence("We are briefly unavailable")

    def __init__(self, detail: str) -> None:
        super().__init__(
            Sentence("Please try again shortly."), detail=detail, headers=(("Retry-After", "2"),)
        )


class StoreUnavailableError(PassingError):
    """A store did not answer, or its answer leaves open whether the statement took effect."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.args = (detail,)  # by which it is made again, an object for each caller


class NotSentError(StoreUnavailableError):
    """The store was not even asked: no connection was to be had, or too many requests wait. Nothing took effect."""


class RetiredError(NotSentError):
    """Valkey's connection closed before the command left, or leads to a server that takes none: another may be better."""


class RedirectedError(NotSentError):
    """A node of Valkey's cluster does not serve the key's slot just now: it said MOVED, ASK, TRYAGAIN or CLUSTERDOWN."""


class OtherKindError(NotSentError):
    """What stands at Valkey's address is of another kind than the address says. The text is `found: what to do`."""


class StandbyError(NotSentError):
    """Every host of PostgreSQL's address that answered is a standby, or read-only."""


class ForgetfulSessionError(NotSentError):
    """A session would answer before a commit is on disk, and the service cannot change that."""


class StatementRefusedError(Exception):
    """The server proved that the statement took no effect.

    That is a bug, such as a wrong column or a missing grant, unless the flow that asked knows the SQLSTATE.
    """

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(f"{sqlstate} {message}")
        self.sqlstate = sqlstate

    @property
    def lost_a_race(self) -> bool:
        """Whether another transaction stood in the way, which it will hardly do again: a deadlock, or 40001."""
        return self.sqlstate in ("40001", "40P01")

    @property
    def key_is_taken(self) -> bool:
        """Whether a row stands already that has the same unique key."""
        return self.sqlstate == "23505"

    @property
    def wrong_server(self) -> bool:
        """Whether another server may take it: this one is a standby by now, or read-only."""
        return self.sqlstate == READ_ONLY


class StoreBusyError(StatementRefusedError, PassingError):
    """The server refused for a reason that passes. Nothing took effect, and the same may be asked again."""


def judge(error: BaseException) -> StoreUnavailableError | StatementRefusedError:
    """Read the outcome off an exception of asyncpg. By SQLSTATE: asyncpg derives connection loss from PostgresError."""
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(error, asyncpg.PostgresError) and sqlstate and not sqlstate.startswith(_UNKNOWN):
        kind = StoreBusyError if sqlstate.startswith(_PASSING) else StatementRefusedError
        return kind(sqlstate, str(error))
    return StoreUnavailableError(f"PostgreSQL: {type(error).__name__} {error}")
