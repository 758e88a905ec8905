"""Nobody but the data directory's owner reaches the private servers, and nothing of others is changed for them."""

import asyncio
import json
import pwd
import stat
import tempfile
from pathlib import Path

import asyncpg
import psutil
import pytest

from app.embedded import Embedded, EmbeddedError, attach
from app.embedded.folders import STATE_ROOT, Folders
from tests.embedded.ordinary import NOBODY, Ordinary, run_of
from tests.embedded.probes import (
    AS_ROOT,
    home_of,
    marks,
    output_of,
    python,
    query,
    server_pids,
)

ROOT_ONLY = pytest.mark.skipif(  # nobody else may become a second user
    not AS_ROOT, reason="not shown: how root's servers are shut off from a second user; run the tests as root"
)

# Started as root, since the interpreter may lie where only root can go.
TRY_AS = """
import json, os, socket, sys
uid, gid, sockets, files = json.loads(sys.argv[1])
os.setgroups([]); os.setgid(gid); os.setuid(uid)
def outcome(act, path):
    try:
        act(path)
    except OSError as error:
        return type(error).__name__
    return "done"
print(json.dumps([outcome(socket.socket(socket.AF_UNIX).connect, path) for path in sockets]
                 + [outcome(open, path) for path in files]))
"""


async def test_servers_open_no_port(servers: Embedded, data_dir: Path) -> None:
    assert await query(servers, "SHOW listen_addresses") == ""
    pids = server_pids(data_dir)
    assert len(pids) >= 2
    assert not [connection for connection in psutil.net_connections("inet") if connection.pid in pids]


async def test_service_role_owns_its_database_and_is_no_superuser(servers: Embedded) -> None:
    role = "(rolsuper, rolbypassrls, rolreplication, rolcreaterole, rolcreatedb)"
    found = await query(servers, f"SELECT {role} FROM pg_roles WHERE rolname = current_user")
    assert found == (False, False, False, True, True)
    owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
    assert await query(servers, owner) == "rovitracker"


@pytest.mark.parametrize("user", ["rovitracker", "postgres"])
async def test_database_wants_a_password_from_whoever_reaches_its_socket(
    servers: Embedded, user: str
) -> None:
    place = servers.database_url.partition("@")[2]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://{user}:wrong@{place}")


async def test_valkey_wants_a_password_from_whoever_reaches_its_socket(servers: Embedded) -> None:
    path = servers.redis_url.partition("@")[2].partition("?")[0]
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET kept\r\n")
    assert (await reader.readline()).startswith(b"-NOAUTH")
    writer.close()
    await writer.wait_closed()


@pytest.mark.usefixtures("servers")
def test_secrets_and_sockets_are_for_the_owner_alone(data_dir: Path) -> None:
    folders = Folders(data_dir)
    run = folders.run_link.resolve()
    for folder in (data_dir, folders.private, home_of(data_dir), run):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folders.private.iterdir() if path.is_file()]
    assert folders.record in files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in run.iterdir() if path.is_socket()} == {0o700}


def test_passwords_are_not_printed_with_the_attachment(servers: Embedded) -> None:
    assert repr(servers) == f"Embedded(data_dir={servers.data_dir!r})"


@ROOT_ONLY
@pytest.mark.usefixtures("servers")
def test_second_user_reaches_neither_socket_nor_file(data_dir: Path) -> None:
    sockets = [f"{path}" for path in Folders(data_dir).run_link.resolve().iterdir() if path.is_socket()]
    files = [f"{Folders(data_dir).record}", f"{home_of(data_dir) / 'postgres/PG_VERSION'}"]
    outcomes = [
        json.loads(output_of(python(TRY_AS, json.dumps([uid, gid, sockets, files]))))
        for uid, gid in ((0, 0), (NOBODY.uid, NOBODY.gid))
    ]
    assert outcomes == [["done"] * 4, ["PermissionError"] * 4]


@ROOT_ONLY
@pytest.mark.usefixtures("servers")
def test_root_runs_the_servers_as_a_user_that_nobody_else_is(data_dir: Path) -> None:
    home = home_of(data_dir)
    uid = home.stat().st_uid
    assert home.parent == STATE_ROOT
    with pytest.raises(KeyError):
        pwd.getpwuid(uid)
    for process in map(psutil.Process, server_pids(data_dir)):
        assert set(process.uids()) == set(process.gids()) == {uid}
        groups = Path(f"/proc/{process.pid}/status").read_text().partition("Groups:")[2].partition("\n")[0]
        assert groups.strip() == ""


def test_starting_changes_no_folder_of_others(new_dir: Path) -> None:
    others = [*new_dir.parents, *STATE_ROOT.parents, Path(tempfile.gettempdir())]
    before = [marks(path) for path in others]
    attach(new_dir).release()
    assert [marks(path) for path in others] == before


def test_private_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "embedded").mkdir()
    (tmp_path / "embedded").chmod(0o755)
    with pytest.raises(EmbeddedError, match="mode 0700"):
        attach(tmp_path)


def test_ordinary_user_runs_the_servers_as_itself(ordinary: Ordinary) -> None:
    data_dir = ordinary.folder / "data"
    with ordinary.holder(data_dir) as url:
        account = ordinary.account
        assert home_of(data_dir).is_relative_to(data_dir)
        assert marks(run_of(url)) == (stat.S_IFDIR | 0o700, account.uid, account.gid)
        assert {psutil.Process(pid).uids().real for pid in server_pids(data_dir)} == {account.uid}


def test_path_of_the_data_directory_may_be_deeper_than_a_sockets(servers: Embedded) -> None:
    assert len(f"{servers.data_dir}") > 200
    assert len(servers.redis_url) < 200
