"""compose.citus.yaml without an engine: its servers, steps and settings on real nodes, up to a token that is on a worker."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from deploy.create_secrets import create_secrets
from tests.distributed.nodes import NoCitusError, Node, citus_programs, run_nodes
from tests.support.composition import BASE, CITUS, read_compose, run_valkey
from tests.support.dockerfile import CHECKOUT
from tests.support.server import free_port, running_service
from tests.test_deployment import assert_documented_flow

DEPLOY = CHECKOUT / "deploy"
NAMES = ("postgres", "worker1", "worker2")


@dataclass(frozen=True, slots=True)
class Composed:
    """services: as the compose files have them. made: the secrets. folder: for what stands in for a container's files."""

    services: Mapping[str, Any]
    made: Path
    folder: Path
    programs: Path
    nodes: Sequence[Node]
    valkey: Path

    @property
    def superuser(self) -> str:
        return (self.made / "postgres" / "superuser_password").read_text()

    def here(self, text: str) -> str:
        """The servers at their addresses on this machine."""
        for node in self.nodes:
            text = text.replace(f"{node.name} 5432", f"127.0.0.1 {node.port}")
            text = text.replace(f"'{node.name}', 5432", f"'127.0.0.1', {node.port}")
            text = text.replace(f"@{node.name}:5432", f"@127.0.0.1:{node.port}")
        return text

    def create_logins(self) -> None:
        """As the image does at its first start, behind its own step that makes the extension there."""
        for node in self.nodes:
            node.tell("CREATE EXTENSION citus", database="postgres", password=self.superuser)
        script = (
            (DEPLOY / "create_logins.sql").read_text().replace("/run/secrets", f"{self.made / 'postgres'}")
        )
        (self.folder / "create_logins.sql").write_text(script)
        options = ("--dbname=postgres", f"--file={self.folder / 'create_logins.sql'}")
        self.nodes[0].psql(*options, PGPASSWORD=self.superuser)

    def join(self) -> None:
        (self.folder / "join.sql").write_text(self.here((DEPLOY / "citus" / "join.sql").read_text()))
        changed = {
            "psql": [str(self.programs / "psql")],
            "--file=/citus/join.sql": [f"--file={self.folder / 'join.sql'}"],
            "--host=postgres": ["--host=127.0.0.1", f"--port={self.nodes[0].port}"],
        }
        command = [part for word in self.services["join"]["command"] for part in changed.get(word, [word])]
        entered(self.made, self.folder / "of-join", *command)

    def environment(self, service: str) -> dict[str, str]:
        """A service's settings, and its secrets at the stores' addresses on this machine."""
        own = self.folder / service
        own.mkdir(exist_ok=True)
        for secret in (self.made / service).iterdir():
            text = self.here(secret.read_text())
            if secret.name == "rovitracker_redis_url":
                asked = urlsplit(text)
                text = f"unix://{asked.username}:{asked.password}@{quote(str(self.valkey))}?db=0"
            (own / secret.name).write_text(text)
        return {**self.services[service]["environment"], "ROVITRACKER_SECRETS_DIR": str(own)}

    def migrate(self, *words: str) -> str:
        """By its entry point; what it prints."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environ = {**self.environment("migrate"), "PATH": path}
        command = ["sh", str(DEPLOY / "citus" / "migrate.sh"), *words]
        return checked(command, environ)

    def run(self, *words: str, text: str = "") -> Any:
        """A verb's document, as `docker compose exec service rovitracker` prints it."""
        command = [sys.executable, "-m", "app", *words]
        return json.loads(checked(command, {**os.environ, **self.environment("service")}, text))

    def findings(self) -> Any:
        """What `rovitracker doctor` finds, which may call the mail catcher wrong: it is not there."""
        done = subprocess.run(
            [sys.executable, "-m", "app", "doctor"],
            cwd=CHECKOUT,
            env={**os.environ, **self.environment("service")},
            check=False,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout)


def checked(command: list[str], environment: Mapping[str, str], text: str = "") -> str:
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, input=text, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def entered(made: Path, passwords: Path, *command: str) -> str:
    """What a command prints behind the entry point of the servers. passwords: the file that it gets from there."""
    script = str(DEPLOY / "citus" / "node.sh")
    own = {"SECRETS": str(made / "postgres"), "PGPASSFILE": str(passwords)}
    return checked(["sh", script, *command], {**os.environ, **own})


@pytest.fixture
def composed(tmp_path: Path) -> Iterator[Composed]:
    try:
        programs = citus_programs()
    except NoCitusError as error:
        pytest.skip(f"not shown: the servers and steps of compose.citus.yaml; {error}")
    services = read_compose(tmp_path, BASE, CITUS).document["services"]
    made = tmp_path / "secrets"
    made.mkdir()
    create_secrets(made, {})
    superuser = (made / "postgres" / "superuser_password").read_text()
    entered(made, tmp_path / "of-servers", "true")
    commands = [services[name]["command"] for name in NAMES]
    assert commands == [commands[0]] * len(NAMES)
    settings = dict(word.split("=", 1) for word in commands[0] if "=" in word)
    passwords = (tmp_path / "of-servers").read_text()
    with (
        run_nodes(programs, *NAMES, password=superuser, passwords=passwords, settings=settings) as nodes,
        run_valkey(made / "valkey", tmp_path / "valkey", services["valkey"]["command"]) as valkey,
    ):
        yield Composed(services, made, tmp_path, programs, nodes, valkey)


async def test_three_servers_become_one_and_serve_the_documented_flow(composed: Composed) -> None:
    assert (composed.folder / "of-servers").stat().st_mode & 0o077 == 0
    composed.create_logins()
    for _ in range(2):  # as at each start
        composed.join()
        composed.migrate(*composed.services["migrate"]["command"])
    port = free_port()
    address = f"http://localhost:{port}"
    own = {"ROVITRACKER_PUBLIC_URL": address, "ROVITRACKER_WORKERS": "1"}
    async with running_service(port=port, settings={**composed.environment("service"), **own}):
        await assert_documented_flow(
            lambda *words, text="": composed.run(*words, text=text), f"http://127.0.0.1:{port}"
        )
        [found] = [each for each in composed.findings() if each["check"] == "distribution"]
    assert found["verdict"] == "ok"
    rows = "SELECT count(*) FROM run_command_on_shards('classic_token', 'SELECT count(*) FROM %s') WHERE result <> '0'"
    coordinator = composed.nodes[0]
    assert coordinator.tell(rows, password=composed.superuser) == "1"
    where = (
        "SELECT DISTINCT nodeport FROM citus_shards WHERE table_name = 'classic_token'::regclass ORDER BY 1"
    )
    ports = sorted(str(node.port) for node in composed.nodes[1:])
    assert sorted(coordinator.tell(where, password=composed.superuser).split()) == ports
    assert json.loads(composed.migrate("migrate", "status"))


def test_an_incomplete_set_of_passwords_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(AssertionError, match="superuser_password"):
        entered(tmp_path, tmp_path / "passwords", "true")
