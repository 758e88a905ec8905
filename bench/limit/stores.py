"""The limit keeps its codes and tokens in its own database, and in one of Valkey's beside the service's."""

import uvloop

from app.oauth.token_string import secret_digest
from app.storage.token.codes import Approval
from bench.ground.codes import Stores
from bench.ground.token_path import Ground
from bench.limit.app import APPROVAL, KEY
from bench.limit.database import create_database, insert_applications


def open_stores(ground: Ground) -> Stores:
    """Empty but for the applications, which the limit knows as the service does."""
    url = uvloop.run(_make_database(ground))
    return Stores(url, ground.servers.redis_url(1), pack_for_limit, has_customers=False)


def pack_for_limit(approval: Approval) -> tuple[bytes, bytes]:
    ids = (approval.code_id, approval.application_id, approval.customer_id, approval.member_id)
    packed = APPROVAL.pack(*(each.bytes for each in ids), approval.approved_at_us)
    return KEY + approval.code_digest, packed + approval.scope.encode()


async def _make_database(ground: Ground) -> str:
    url = await create_database(ground.servers.database_url)
    rows = [
        (each.client_id, secret_digest(each.client_secret), each.customer_id) for each in ground.applications
    ]
    await insert_applications(url, rows)
    return url
