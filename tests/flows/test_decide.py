"""The decision as Valkey keeps it: one slot, one script, the first one stands."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from app.context import Context
from app.oauth.token_string import new_id, with_bucket
from app.storage.token.codes import Approval, Marker, keys_of, write_decision
from tests.support.approvals import take_code

MINUTE_MS = 60_000


def marker_of(code_id: UUID, *, decision: str = "approve") -> Marker:
    return Marker(code_id, uuid4(), "approve" if decision == "approve" else "deny", "key", 1)


def approval_of(marker: Marker, now_us: int = 1) -> Approval:
    return Approval(
        code_id=marker.code_id,
        code_digest=bytes(range(32)),
        application_id=uuid4(),
        customer_id=uuid4(),
        member_id=marker.member_id,
        redirect_uri="https://sitewise.example/ü?a=b",
        scope="aemp:read",
        code_challenge=None,
        approved_at_us=now_us,
    )


@given(st.integers(0, 2**128 - 1), st.integers(0, 0xFFF))
def test_marker_and_code_live_in_one_slot(number: int, bucket: int) -> None:
    """One script touches both: a cluster refuses keys of two slots. The bucket in the code's id moves neither."""
    flow_id = UUID(int=number)
    flow_key, code_key = keys_of(with_bucket(flow_id, bucket))
    assert key_slot(flow_key.encode()) == key_slot(code_key.encode())
    assert keys_of(flow_id) == (flow_key, code_key)
    assert flow_key != code_key


async def test_first_marker_stands_and_the_code_waits(context: Context) -> None:
    """O-34"""
    first, second = (marker_of(code_id) for code_id in [new_id()] * 2)
    approval = approval_of(first)
    for marker in (first, second):
        decided = await write_decision(
            context.valkey,
            marker,
            approval if marker is first else approval_of(second),
            marker_life_ms=MINUTE_MS,
            code_life_ms=MINUTE_MS,
        )
        assert (decided.marker, decided.code_waits) == (first, True)
    assert await take_code(context.valkey, first.code_id) == approval
    decided = await write_decision(
        context.valkey, second, approval, marker_life_ms=MINUTE_MS, code_life_ms=MINUTE_MS
    )
    assert (decided.marker, decided.code_waits) == (first, False)


async def test_denial_writes_no_code(context: Context) -> None:
    """O-17"""
    marker = marker_of(new_id(), decision="deny")
    await write_decision(context.valkey, marker, None, marker_life_ms=MINUTE_MS, code_life_ms=MINUTE_MS)
    assert await take_code(context.valkey, marker.code_id) is None
