"""PINs that tests' fleets claimed are given up when a test ends, since tests repeat their PINs."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import asyncpg

_END = "DELETE FROM equipment_identifier WHERE customer_id = ANY($1::uuid[])"


class Claims:
    """A connection of its own, in a loop of its own: the suite's loop may be running. It is kept from test to test."""

    def __init__(self, database_url: str) -> None:
        self._address = database_url
        self._thread = ThreadPoolExecutor(1)
        self._runner: asyncio.Runner | None = None
        self._owner: asyncpg.Connection | None = None

    def end(self, customer_ids: list[UUID]) -> None:
        self._thread.submit(self._run, customer_ids).result()

    def close(self) -> None:
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _run(self, customer_ids: list[UUID]) -> None:
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            self._runner.run(self._end(customer_ids))
        except (asyncpg.InterfaceError, asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError):
            self._owner = None  # a test killed it
            self._runner.run(self._end(customer_ids))

    async def _end(self, customer_ids: list[UUID]) -> None:
        if self._owner is None or self._owner.is_closed():
            self._owner = await asyncpg.connect(self._address)
            await self._owner.execute("SET ROLE rovitracker_ingest")  # the owner sees no customer's rows
        await self._owner.execute(_END, customer_ids)

    def _close(self) -> None:
        if self._runner is not None:
            if self._owner is not None:
                self._owner.terminate()
            self._runner.close()
