"""Two servers of PostgreSQL under Patroni, three of etcd and an HAProxy, as docs/operators.md has them.

Only the network differs: each run takes one of its own from the loopback interface, and the documented ports in it.
"""

import asyncio
import os
import pwd
import secrets
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from app.embedded.software import copy_software, installed_software
from tests.embedded.probes import wait_until
from tests.support.changing import until_true
from tests.support.clusters import own_folder
from tests.support.debian import program
from tests.support.growing import blocks
from tests.support.listening import listening
from tests.support.server import ROOT

ETCD, PATRONI, HAPROXY, LOGINS, BY_HAPROXY, BY_HOSTS = blocks("A PostgreSQL that survives its machine")
_ETCDS = 3
_NO_SESSION = 2  # what psql ends with then


@dataclass(frozen=True, slots=True)
class Site:
    """A run's own folder and network, and the account that runs PostgreSQL, which refuses root."""

    folder: Path
    network: str
    programs: Path  # of PostgreSQL
    account: dict[str, Any]

    def placed(self, text: str) -> str:
        """The text of a page, in this network."""
        return text.replace("10.0.0.", self.network)

    def own(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account["user"], self.account["group"])

    def start(self, command: list[str | Path], told: Path, **environment: str) -> subprocess.Popen[bytes]:
        """Run a program as the run's account, in its folder. environment: all that it has beside PATH."""
        with told.open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], **environment},
                stdout=output,
                stderr=output,
                **self.account,
            )


@dataclass(slots=True)
class Node:
    """One server with its Patroni. number: 1 or 2, as on the page."""

    site: Site
    number: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return f"db{self.number}"

    @property
    def address(self) -> str:
        return f"{self.site.network}1{self.number}"

    @property
    def data(self) -> Path:
        return self.site.folder / self.name / "data"

    def write(self) -> None:
        """Its configuration: the first one's, with its own name and address."""
        folder = self.data.parent
        folder.mkdir(mode=0o700)
        self.site.own(folder)
        text = PATRONI.replace("name: db1", f"name: {self.name}")
        for key in ("listen", "connect_address"):
            text = text.replace(f"{key}: 10.0.0.11", f"{key}: 10.0.0.1{self.number}")
        text = self.site.placed(text)
        for path, place in {
            "/var/lib/postgresql/rovitracker": self.data,
            "/usr/lib/postgresql/18/bin": self.site.programs,
            "/var/lib/postgresql/patroni.pgpass": folder / "pgpass",
            "/run/postgresql": folder,
        }.items():
            assert path in text
            text = text.replace(path, f"{place}")
        (folder / "config.yml").write_text(text)
        self.site.own(folder / "config.yml")

    def start(self) -> None:
        """Start its Patroni, which makes the server's data where there is none, and starts the server."""
        folder = self.data.parent
        patroni = program("patroni")
        assert patroni is not None
        self.process = self.site.start([patroni, folder / "config.yml"], folder.parent / f"{self.name}.log")

    def send_nothing(self) -> None:
        """Its standby is sent nothing from now on, and nobody hears that it is gone."""
        for each in self._family():
            with suppress(psutil.NoSuchProcess):
                if "walsender" in " ".join(each.cmdline()):
                    each.suspend()

    def kill_postgres(self) -> None:
        """The server and every session of it, at once; its Patroni goes on."""
        for each in reversed(self._family()):
            with suppress(psutil.NoSuchProcess):
                each.kill()

    def freeze(self) -> None:
        """All of it stands still, and knows nothing of what happens meanwhile."""
        for each in self._everything():
            each.suspend()

    def thaw(self) -> None:
        for each in self._everything():
            each.resume()

    def lose(self) -> None:
        """As a machine that lost its power: Patroni first, so that it can give nothing back."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None
        family = self._family()
        self.kill_postgres()
        wait_until(lambda: not any(map(_lives, family)), within_s=10)

    def _everything(self) -> list[psutil.Process]:
        assert self.process is not None
        return [psutil.Process(self.process.pid), *self._family()]

    def _family(self) -> list[psutil.Process]:
        """The postmaster and then what it started."""
        with suppress(OSError, IndexError, ValueError, psutil.NoSuchProcess):
            postmaster = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            if postmaster.name() == "postgres":
                return [postmaster, *postmaster.children(recursive=True)]
        return []


def _lives(process: psutil.Process) -> bool:
    """Not even as a zombie: whoever adopted it may take its time."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


@dataclass(slots=True)
class Patroni:
    """The two, and who is what by their own word."""

    site: Site
    nodes: tuple[Node, Node]

    async def members(self) -> dict[str, tuple[str, str]]:
        """Role and state by name, as either of them says; empty where neither answers."""
        async with httpx2.AsyncClient(timeout=1) as http:
            for each in self.nodes:
                with suppress(httpx2.TransportError):
                    answer = await http.get(f"http://{each.address}:8008/cluster")
                    return {
                        member["name"]: (member["role"], member["state"])
                        for member in answer.json()["members"]
                    }
        return {}

    async def is_whole(self) -> bool:
        """A primary with a standby that it waits for."""
        roles = sorted(
            role for role, state in (await self.members()).values() if state in {"running", "streaming"}
        )
        return roles == ["leader", "sync_standby"]

    async def primary(self) -> Node:
        """The one that leads by their own word. It fails while none does."""
        members = await self.members()
        [leader] = [each for each in self.nodes if members.get(each.name, ("",))[0] == "leader"]
        return leader

    def address(self, text: str) -> str:
        """The value of a documented setting, in this network."""
        return self.site.placed(text).strip().partition("=")[2]


def skip_without_programs() -> None:
    lacking = [name for name in ("patroni", "etcd", "haproxy") if program(name) is None]
    if lacking:
        pytest.skip(
            f"not shown: a primary that Patroni replaces; {', '.join(lacking)} is not installed "
            "(`make check-failover` installs it)"
        )


@asynccontextmanager
async def patroni_cluster() -> AsyncIterator[Patroni]:
    """Whole, behind HAProxy, with the logins made.

    It has 60 s to become whole. It skips the test where a program is missing, and ends as machines do that lose power.
    """
    skip_without_programs()
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    with own_folder() as folder:
        copied = copy_software(installed_software(), folder)
        first, second = (secrets.randbelow(250) + 2 for _ in range(2))
        site = Site(folder, f"127.{first}.{second}.", copied.postgres.parent, account)
        site.own(folder)
        patroni = Patroni(site, (Node(site, 1), Node(site, 2)))
        async with AsyncExitStack() as stack:
            stack.enter_context(_etcds(site))
            for each in patroni.nodes:
                stack.callback(each.lose)
                each.write()
                each.start()
            await until_true(patroni.is_whole, patience_s=60)
            (folder / "haproxy.cfg").write_text(site.placed(HAPROXY))
            proxy = [str(program("haproxy")), "-db", "-f", str(folder / "haproxy.cfg")]
            host = f"{site.network}20"
            await stack.enter_async_context(listening(proxy, 5432, folder / "haproxy.log", host=host))
            await make_logins(site)
            yield patroni


async def make_logins(site: Site) -> None:
    """By the documented command, with the wheel's psql, once HAProxy has asked who the primary is."""
    words = shlex.split(site.placed(LOGINS))
    environment = dict(word.split("=", 1) for word in words[:2])
    assert words[2] == "psql"
    command = [str(site.programs / "psql"), "--no-psqlrc", "-q", *words[3:]]
    run = partial(
        subprocess.run,
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    done = await asyncio.to_thread(run)
    for _ in range(20):
        if done.returncode == _NO_SESSION:
            await asyncio.sleep(0.5)
            done = await asyncio.to_thread(run)
    assert done.returncode == 0, done.stderr


@contextmanager
def _etcds(site: Site) -> Iterator[None]:
    """Run three of etcd: the one on the page, and two with their own number and address in its place."""
    etcd = program("etcd")
    assert etcd is not None
    running = []
    try:
        for number in range(1, _ETCDS + 1):
            head, cluster, members = ETCD.partition("ETCD_INITIAL_CLUSTER=")
            own = head.replace("etcd1", f"etcd{number}").replace("10.0.0.11", f"10.0.0.1{number}")
            lines = site.placed(own + cluster + members).splitlines()
            environment = dict(line.split("=", 1) for line in lines)
            folder = site.folder / f"etcd{number}"
            running.append(
                site.start(
                    [etcd], site.folder / f"etcd{number}.log", ETCD_DATA_DIR=f"{folder}", **environment
                )
            )
        yield
    finally:
        for each in running:
            each.send_signal(signal.SIGKILL)
            each.wait(10)
