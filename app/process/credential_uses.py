"""Uses of secrets and keys, gathered in memory, so that no request waits for a store to note one."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

_RESOLUTION = timedelta(hours=1)

# An application, and the SHA-256 of its secret or of its public key.
Credential: TypeAlias = tuple[UUID, bytes]


class CredentialUses:
    """The hours in which credentials were used, each noted once. Who notes one has proved it, so strangers fill nothing."""

    def __init__(self) -> None:
        self._noted_until: dict[Credential, datetime] = {}
        self._waiting: dict[Credential, datetime] = {}
        self.due = asyncio.Event()  # set when there is no more time to gather

    def note(self, credential: Credential, now: datetime) -> None:
        """One look into a dictionary for all uses of an hour but the first."""
        until = self._noted_until.get(credential)
        if until is None or until <= now:
            hour = now.replace(minute=0, second=0, microsecond=0)
            self._noted_until[credential] = hour + _RESOLUTION
            self._waiting[credential] = hour

    def take(self, now: datetime) -> dict[Credential, datetime]:
        """The hours that wait. Whoever takes them writes them or puts them back."""
        taken, self._waiting = self._waiting, {}
        self._noted_until = {each: until for each, until in self._noted_until.items() if until > now}
        return taken

    def put_back(self, taken: Mapping[Credential, datetime]) -> None:
        """Have them written later, unless a newer use waits."""
        self._waiting = {**taken, **self._waiting}
