"""Changes that PostgreSQL's own triggers announce, whether a recent one would have been heard by now, and who leads."""

import asyncio
import time
from collections.abc import Hashable
from typing import Any
from uuid import UUID

import structlog

from app.ending import end
from app.storage.errors import StandbyError
from app.storage.postgres.database import Database
from app.storage.postgres.server import DRIVER_ERRORS, Server

CHANNEL = "rovitracker_changes"
PROBE_EVERY_S = 0.25
BELIEVED_FOR_S = 0.7  # together with the way of a notification, less than the second a revocation may take
_CONNECT_TIMEOUT_S = 2.0
_MOST_SUBJECTS = 50_000
# PostgreSQL ends a session that says nothing for so long, and with it the lock of a machine that is gone or frozen.
LOST_AFTER_S = 5.0
# Any number will do as long as every version of this service takes the same one.
_LEADS = 7_684_868_403

# Asking again for a lock that is held would count it twice.
PROBE_SESSION = """
SELECT current_setting('transaction_read_only') = 'on' AS read_only,
       CASE WHEN $1::boolean THEN true ELSE pg_try_advisory_lock($2) END AS leads
"""

_log = structlog.get_logger()


class Changes:
    """Numbers each change, so that whoever remembers an answer can tell whether it was asked for before or after.

    A subject is the id of a token, grant, application or customer, or a pair (customer, application).
    leads: set while this process's session holds the lock that one of all processes holds. Who leads maintains.
    """

    def __init__(self) -> None:
        self.number = 0  # of the newest change
        self._last: dict[Hashable, int] = {}
        self._forgotten = 0  # what was remembered up to here is not to be believed, whatever its subject
        self.believed_until = 0.0  # by the monotonic clock
        self.leads = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    @property
    def current(self) -> bool:
        """Whether a change of more than a moment ago would have been heard. By the monotonic clock, at each use."""
        return time.monotonic() < self.believed_until

    def note(self, subject: Hashable) -> None:
        """It changed now: heard from PostgreSQL, or done by this process itself, which then sees it at once."""
        self.number += 1
        if len(self._last) >= _MOST_SUBJECTS:
            self._forget()
        self._last[subject] = self.number

    def since(self, number: int, subjects: tuple[Hashable, ...]) -> bool:
        """Whether any of the subjects changed after the change of this number."""
        if number == self.number:  # nothing at all did, as nearly always
            return False
        if number < self._forgotten:
            return True
        return any(self._last.get(subject, 0) > number for subject in subjects)

    def listen(self, dsn: str, database: Database | None = None) -> None:
        """Begin to listen, and connect again whenever that ends.

        database: whose connections lead to the same server. What one side learns of it, the other hears.
        """
        self._listening = asyncio.create_task(self._listen_for_ever(dsn, database))

    async def close(self) -> None:
        self.believed_until = 0.0
        if self._listening is not None:
            await end(self._listening)

    async def _listen_for_ever(self, dsn: str, database: Database | None) -> None:
        server = Server(dsn)
        while True:
            try:
                await self._listen_once(server, database)
            except (*DRIVER_ERRORS, StandbyError) as error:
                if isinstance(error, StandbyError) and database is not None:
                    await database.retire()
                # Until the next connection every answer is asked for: slower, and right.
                _log.warning("changes are not heard", error=f"{type(error).__name__} {error}")
            await asyncio.sleep(PROBE_EVERY_S)

    async def _listen_once(self, server: Server, database: Database | None) -> None:
        retired = database.retired if database is not None else 0
        connection = await server.connect(
            timeout=_CONNECT_TIMEOUT_S,
            command_timeout=BELIEVED_FOR_S,
            server_settings={"application_name": "rovitracker changes"},
        )
        try:
            await connection.execute(f"SET idle_session_timeout = '{LOST_AFTER_S}s'")
            await connection.add_listener(CHANNEL, self._hear)
            # What changed while nobody listened is unknown.
            self._forget()
            while database is None or database.retired == retired:
                await self._probe(connection)
                await asyncio.sleep(PROBE_EVERY_S)
        finally:
            self.believed_until = 0.0
            self.leads.clear()
            connection.terminate()  # at once: a connection that hangs would hang in its good-bye too

    async def _probe(self, connection: Any) -> None:
        """The answer proves that whatever was told before it was asked for has arrived: one connection keeps order."""
        sent_at = time.monotonic()
        answer = await connection.fetchrow(PROBE_SESSION, self.leads.is_set(), _LEADS)
        if answer["read_only"]:
            raise StandbyError("PostgreSQL takes no writes any more")
        self.believed_until = sent_at + BELIEVED_FOR_S
        if answer["leads"]:
            self.leads.set()

    def _forget(self) -> None:
        self.number += 1
        self._forgotten = self.number
        self._last.clear()

    def _hear(self, _connection: object, _process: int, _channel: str, payload: object) -> None:
        ids = tuple(UUID(each) for each in str(payload).split(" "))
        self.note(ids if len(ids) > 1 else ids[0])
