"""What `doctor` says about Valkey: each server that takes writes, and the sentinels that name it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime

from app.cli.checks import Finding, check_clock, check_connections
from app.settings import Settings
from app.storage.errors import OtherKindError, StoreUnavailableError
from app.storage.schema.address import shown_address
from app.storage.schema.diagnosis import ValkeyFacts, read_valkey_facts
from app.storage.valkey.address import Host, shown_host
from app.storage.valkey.sentinel import NamedPrimary
from app.storage.valkey.valkey import Valkey

_OLDEST = (6, 2)  # GETEX


async def examine_valkey(settings: Settings, redis_url: str) -> AsyncIterator[Finding]:
    valkey = Valkey(redis_url, connections=1, most_waiting=1000)
    try:
        for name, server in (await valkey.servers()).items():
            before = datetime.now(UTC)
            facts = await read_valkey_facts(server)
            after = datetime.now(UTC)
            for finding in check_valkey(facts, settings, name=name, cluster="+cluster://" in redis_url):
                yield finding
            if facts.now is not None:
                yield check_clock(name, facts.now, before, after)
        if valkey.sentinels is not None:
            yield check_sentinels(*await valkey.sentinels.survey())
    except OtherKindError as error:
        found, _, todo = str(error).rpartition(": ")
        yield Finding("Valkey", "wrong", found, todo)
    except StoreUnavailableError as error:
        address = shown_address(redis_url)
        yield Finding("Valkey", "wrong", f"{address}: {error}", "start it, or correct ROVITRACKER_REDIS_URL")
    finally:
        await valkey.close()


def check_valkey(
    facts: ValkeyFacts, settings: Settings, *, name: str = "Valkey", cluster: bool = False
) -> Iterator[Finding]:
    """name: of the server. cluster: whether the address says that it is a node of one."""
    version = tuple(int(part) for part in facts.version.split(".")[:2] if part.isdigit())
    if facts.mode == "sentinel":
        todo = "write redis+sentinel:// before its address in ROVITRACKER_REDIS_URL, and the name of the primary behind it"
        yield Finding(name, "wrong", f"{facts.version}, a sentinel, which keeps no code", todo)
        return
    if version < _OLDEST:
        yield Finding(name, "wrong", facts.version, "use Valkey, or Redis 6.2 or newer")
    elif facts.mode == "cluster" and not cluster:
        found = f"{facts.version}, a node of a cluster, which keeps a part of the codes"
        todo = "write redis+cluster:// before its address in ROVITRACKER_REDIS_URL"
        yield Finding(name, "wrong", found, todo)
    elif facts.replica:
        found = f"{facts.version}, a replica, which takes no code"
        yield Finding(name, "wrong", found, "name the primary in ROVITRACKER_REDIS_URL")
    elif facts.evicts:
        yield Finding(name, "warning", f"{facts.version}, may evict codes", "set maxmemory-policy noeviction")
    elif not facts.persistent:
        found = f"{facts.version}, forgets approvals of the last minute when it restarts"
        yield Finding(name, "warning", found, "set appendonly yes")
    else:
        yield Finding(name, "ok", f"{facts.version}, append-only file on")
    yield check_connections(
        f"{name} connections", facts.connections, settings.limit_redis_connections, settings.workers
    )


def check_sentinels(named: Sequence[NamedPrimary], silent: Sequence[Host]) -> Finding:
    """named: what those who answered say. silent: the others."""
    names = sorted({shown_host(each.host) for each in named})
    found = f"{len(named)} of {len(named) + len(silent)} name {' and '.join(names)}"
    if silent:
        hosts = ", ".join(shown_host(each) for each in silent)
        todo = "start them, or correct the address"
        return Finding("sentinels", "warning", f"{found}; no answer from {hosts}", todo)
    if len(names) > 1:
        todo = "look again when the fail-over is over, then into their logs"
        return Finding("sentinels", "warning", found, todo)
    return Finding("sentinels", "ok", found)
