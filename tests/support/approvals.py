"""Approvals as a consent page leaves them, for tests that need many codes or odd ones."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.oauth.token_string import TokenString, bucket_of, mint
from app.storage.postgres.database import Database
from app.storage.token.codes import Approval, burn_code, keys_of, pack_approval, read_code
from app.storage.token.connections import connect
from app.storage.token.grants import select_approval_state
from app.storage.valkey.valkey import Valkey
from tests.support.people import CHALLENGE, World
from tests.support.stores import put


async def approval_for(world: World, database: Database) -> tuple[Approval, TokenString]:
    """An approval of this moment, not yet in Valkey, and its code. The application is connected from then on."""
    customer_id = world.member.customer_id
    strict = world.registered.client.kind == "strict"
    code = mint("ac", "s" if strict else "c", bucket_of(customer_id))
    now_us, _ = await select_approval_state(database, code.id)
    approval = Approval(
        code_id=code.id,
        code_digest=code.digest,
        application_id=world.registered.client.id,
        customer_id=customer_id,
        member_id=world.member.id,
        redirect_uri="https://sitewise.example/",
        scope="aemp:read",
        code_challenge=CHALLENGE if strict else None,
        approved_at_us=now_us,
    )
    await connect(
        database,
        customer_id,
        approval.application_id,
        route="code",
        approved_by=approval.member_id,
        approved_at=datetime.fromtimestamp(0, UTC) + timedelta(microseconds=now_us),
    )
    return approval, code


async def waiting_code(world: World) -> TokenString:
    """A code that waits in Valkey to be redeemed."""
    context = world.context
    approval, code = await approval_for(world, context.database)
    await put_code(context.valkey, approval)
    return code


async def put_code(valkey: Valkey, approval: Approval, *, life_ms: int = 60_000) -> None:
    """Let a code wait to be redeemed.

    life_ms: until Valkey forgets it, whenever it was approved.
    """
    await put(valkey, keys_of(approval.code_id)[1], pack_approval(approval), life_ms=life_ms)


async def take_code(valkey: Valkey, code_id: UUID) -> Approval | None:
    """What waited, and does no longer."""
    approval = await read_code(valkey, code_id)
    await burn_code(valkey, code_id)
    return approval
