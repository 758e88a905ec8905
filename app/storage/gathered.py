"""The statements of the token path that requests share: one batch in flight a process and statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.storage.applications import Application, select_applications
from app.storage.client_tokens import ClientToken, insert_strict_tokens
from app.storage.database import Database
from app.storage.gather import Gather
from app.storage.grants import Redemption, insert_grants_with_classic_tokens
from app.storage.tokens import StoredToken, TokenClass, select_tokens


@dataclass(frozen=True, slots=True)
class Gathered:
    """Call one like a function: `await gathered.applications(id)`."""

    applications: Gather[UUID, Application | None]
    redemptions: Gather[Redemption, bool]
    client_tokens: Gather[ClientToken, bool]
    classic_tokens: Gather[UUID, StoredToken | None]
    strict_tokens: Gather[UUID, StoredToken | None]

    async def close(self) -> None:
        gathers = (
            self.applications,
            self.redemptions,
            self.client_tokens,
            self.classic_tokens,
            self.strict_tokens,
        )
        for gather in gathers:
            await gather.close()


def gather_statements(
    database: Database,
    *,
    queue: int,
    code_life: timedelta,
    classic_idle: timedelta,
    classic_absolute: timedelta,
    strict_access: timedelta,
) -> Gathered:
    async def applications(ids: Sequence[UUID]) -> list[Application | None]:
        found = await select_applications(database, ids)
        return [found.get(each) for each in ids]

    async def redemptions(items: Sequence[Redemption]) -> list[bool]:
        inserted = await insert_grants_with_classic_tokens(
            database, items, code_life=code_life, idle=classic_idle, absolute=classic_absolute
        )
        return [item.token_id in inserted for item in items]

    async def client_tokens(items: Sequence[ClientToken]) -> list[bool]:
        inserted = await insert_strict_tokens(database, items, life=strict_access)
        return [item.id in inserted for item in items]

    def tokens(token_class: TokenClass) -> Gather[UUID, StoredToken | None]:
        async def look_up(ids: Sequence[UUID]) -> list[StoredToken | None]:
            found = await select_tokens(database, token_class, ids)
            return [found.get(each) for each in ids]

        return Gather(look_up, queue=queue)

    return Gathered(
        applications=Gather(applications, queue=queue),
        redemptions=Gather(redemptions, queue=queue),
        client_tokens=Gather(client_tokens, queue=queue),
        classic_tokens=tokens("c"),
        strict_tokens=tokens("s"),
    )
