"""The service on Citus behind PgBouncer, which lends each transaction another session of the coordinator."""

import os
import pwd
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import pytest

from tests.distributed.ground import laid_out_on
from tests.distributed.nodes import Citus, NoCitusError, citus_programs
from tests.distributed.test_lost_worker import EXCHANGES, statuses
from tests.support.debian import program
from tests.support.server import ROOT, free_port

PGBOUNCER = program("pgbouncer")
_PAGE = (
    (ROOT / "docs" / "operators.md").read_text().partition("\n## Behind a pooler\n")[2].partition("\n## ")[0]
)
[STATEMENT] = re.findall(r"`(ALTER ROLE rovitracker_login SET citus\.[^`]*)`", _PAGE)
CONFIGURATION = """
[databases]
rovitracker = host=127.0.0.1 port={there} dbname=rovitracker
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 4
pidfile = {folder}/pid
"""


@contextmanager
def pgbouncer(servers: Citus) -> Iterator[str]:
    """With the one statement that the page has for it."""
    servers.tell(STATEMENT)
    port = free_port()
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "users").write_text(f'"rovitracker_login" "{servers.password}"\n')
        text = CONFIGURATION.format(there=servers.coordinator.port, port=port, folder=folder)
        (folder / "ini").write_text(text)
        account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        for each in (folder, *folder.iterdir()):
            os.chown(each, account.pw_uid, account.pw_gid)
        pooler = subprocess.Popen(  # it refuses to be root
            [str(PGBOUNCER), "-q", str(folder / "ini")],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[] if os.geteuid() == 0 else None,
        )
        try:
            yield f"postgresql://rovitracker_login:{servers.password}@127.0.0.1:{port}/rovitracker"
        finally:
            pooler.terminate()
            pooler.wait(10)


@pytest.mark.skipif(
    PGBOUNCER is None, reason="not shown: Citus behind a pooler; `make servers` installs PgBouncer"
)
async def test_codes_are_redeemed_through_a_pooler() -> None:
    try:
        programs = citus_programs()
    except NoCitusError as error:
        pytest.skip(f"not shown: Citus behind a pooler; {error}")
    async with (
        laid_out_on(programs, workers=2, instances=1, processes=1, pooler=pgbouncer) as ground,
        httpx2.AsyncClient(timeout=20) as client,
    ):
        assert await statuses(client, ground) == {200: EXCHANGES}
