"""Everything the stores hold, as a digest each: what a refused request must leave as it was.

Left out are the tables of what was refused, used and read: they are written up to a minute after what they tell of, and
open nothing. Mails of earlier tests are sent first, since a mail that is sent may write the link that it holds. Mails are tried,
and a session notes its use once a minute, so it is compared which ones there are. Which fleets changed is left out too: hourly upkeep writes there, and a change shows in the fleet itself.
Tokens beyond the cap that earlier tests left are ended first, since every process looks for them when it starts.
"""

from datetime import timedelta
from functools import partial

import asyncpg
from redis.asyncio import Redis

from app.context import Context
from app.flows.token.revoke_surplus import find_surplus
from tests.support.changing import until_true

_TABLES = """
SELECT oid::regclass::text AS name FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  AND relname NOT IN ('refused_request', 'credential_use', 'connection_read', 'fleet_change', 'fleet_change_look')
"""

# A mail that cannot be sent yet is left for later, and is not due while two states are taken.
_DUE_MAILS = """
SELECT count(*) FROM mail
WHERE state = 'waiting' AND (next_attempt_at < clock_timestamp() + interval '10 s' OR claimed_until > clock_timestamp())
"""

_LONGEST_SUITE = timedelta(hours=1)
_LONGEST_CLAIM_S = 70  # of a mail that a test has taken and left

_BY_NAME = {"mail": "t.id::text", "browser_session": "t.id_digest::text"}
# Their machines report every quarter of an hour by themselves.
_HOLD_TEST_CUSTOMERS = "UPDATE customer SET simulated_at = 'infinity' WHERE tester_id IS NOT NULL"


async def state_of(context: Context, database_url: str, redis_url: str) -> dict[str, object]:
    """Rows and digest of every table, and the keys of Valkey, once what followed the last answers is done.

    It waits until no mail is due, and fails after 70 s: a claim of a mail lasts for a minute.
    """
    await context.background.settle()
    await find_surplus(context, context.now() - _LONGEST_SUITE, context.now())
    owner = await asyncpg.connect(database_url)
    await owner.execute(_HOLD_TEST_CUSTOMERS)
    await until_true(partial(is_all_mail_sent, owner), _LONGEST_CLAIM_S)
    found: dict[str, object] = {}
    for table in await owner.fetch(_TABLES):
        told = _BY_NAME.get(table["name"], "t::text")
        row = await owner.fetchrow(
            f"SELECT count(*), md5(string_agg(md5({told}), '' ORDER BY md5({told}))) FROM {table['name']} t"
        )
        found[table["name"]] = tuple(row)
    await owner.close()
    valkey = Redis.from_url(redis_url)
    found["keys"] = frozenset([key async for key in valkey.scan_iter()])
    await valkey.aclose()
    return found


async def is_all_mail_sent(owner: asyncpg.Connection) -> bool:
    return bool(await owner.fetchval(_DUE_MAILS) == 0)


def assert_unchanged(before: dict[str, object], after: dict[str, object]) -> None:
    """Keys may only have gone, by their own time."""
    changed = {name for name, state in before.items() if name != "keys" and after[name] != state}
    assert not changed, changed
    one, other = before["keys"], after["keys"]
    assert isinstance(one, frozenset)
    assert isinstance(other, frozenset)
    assert other <= one, other - one
