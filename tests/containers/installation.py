"""An installation by docs/operators.md, under names of its own, and the commands of that document on it."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from tests.containers.engine import RUN, docker, sweep
from tests.support.composition import BASE, CITUS, PRODUCTION
from tests.support.dockerfile import CHECKOUT
from tests.support.server import free_port
from tests.test_containers import PRODUCTION_VARIABLES, SUPPORT

OURS = ("secrets", "migrate", "service")  # the services that run our image
LASTING = ("postgres", "valkey", "service")
WORKERS = ("worker1", "worker2")
START = "docker compose up --build --wait"

_APART = "apart.yaml"
_OPERATORS = (CHECKOUT / "docs" / "operators.md").read_text()
_BLOCK = re.compile(r"^```\n(.*?)^```", re.DOTALL | re.MULTILINE)
_PATIENCE_S = 600
_RECOVERY_S = 90


@dataclass(frozen=True, slots=True)
class Installation:
    """name: of the project and of the image. files: the compose files. variables: what its operator exported."""

    name: str
    folder: Path
    port: int
    files: tuple[Path, ...]
    variables: Mapping[str, str]

    @property
    def is_production(self) -> bool:
        return PRODUCTION in self.files

    @property
    def lasting(self) -> tuple[str, ...]:
        """The services that keep running."""
        mail = () if self.is_production else ("mail",)
        workers = WORKERS if CITUS in self.files else ()
        return (*LASTING, *workers, *mail)

    def checked_out(self, checkout: Path) -> Self:
        """The same installation, by the files of a checkout from now on."""
        paths = [*(checkout / file.name for file in self.files), self.folder / _APART]
        return replace(self, variables={**self.variables, "COMPOSE_FILE": os.pathsep.join(map(str, paths))})

    def run(self, commands: str, text: str = "") -> str:
        """Lines of a document in a shell; what they print."""
        done = subprocess.run(
            ["/bin/sh", "-euc", commands],
            cwd=self.folder,
            env={**os.environ, **self.variables},
            input=text,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout

    def rovitracker(self, verb: str, text: str = "") -> Any:
        return json.loads(self.run(f"docker compose exec -T service rovitracker {verb}", text))

    def container(self, service: str) -> str:
        return self.run(f"docker compose ps --all --quiet {service}").strip()

    def facts(self, service: str) -> dict[str, Any]:
        """What the engine knows about a service's container."""
        facts: dict[str, Any] = json.loads(docker("inspect", self.container(service)))[0]
        return facts

    def read(self, service: str, file: str) -> str:
        return self.run(f"docker compose exec -T {service} cat {file}")

    def kill(self, *services: str) -> None:
        """End them like a crash does. `docker kill` would count as an order, after which nobody starts them again."""
        pids = [str(self.facts(service)["State"]["Pid"]) for service in services]
        confined = ("--cap-drop=ALL", "--cap-add=KILL", "--network=none", "--read-only")
        program = (
            "python",
            self.name,
            "-c",
            "import os, sys; [os.kill(int(pid), 9) for pid in sys.argv[1:]]",
        )
        docker("run", "--rm", "--pid=host", "--user=0:0", *confined, "--entrypoint", *program, *pids)

    def exit_statuses(self, service: str, *, since: int) -> list[str]:
        """How a service's container ended, each time. since: in seconds of the engine's clock."""
        of_it = ("--filter", f"container={self.container(service)}", "--filter", "event=die")
        period = ("--since", str(since), "--until", str(int(time.time()) + 1))
        return docker("events", *period, *of_it, "--format", "{{.Actor.Attributes.exitCode}}").split()

    def started(self, services: tuple[str, ...]) -> dict[str, str]:
        """When each was started."""
        return {service: self.facts(service)["State"]["StartedAt"] for service in services}

    def wait_for_recovery(self, before: Mapping[str, str]) -> None:
        """Wait until each was started anew, and its health check likes it. before: when each was started."""
        for service, then in before.items():
            wait_until(partial(self._runs_anew, service, then), service)

    def _runs_anew(self, service: str, then: str) -> bool:
        state = self.facts(service)["State"]
        healthy = state.get("Health", {"Status": "healthy"})["Status"] == "healthy"
        return bool(state["Running"]) and state["StartedAt"] != then and healthy


@contextmanager
def installation(
    what: str, folder: Path, *, files: tuple[Path, ...] = (BASE,), checkout: Path = CHECKOUT
) -> Iterator[Installation]:
    """Not yet started. All that it leaves is removed at the end."""
    name, port = f"{RUN}-{what}", free_port()
    production = PRODUCTION in files
    folder.mkdir()
    (folder / _APART).write_text(_apart(name, production=production))
    own = {"COMPOSE_PROJECT_NAME": name, "ROVITRACKER_PORT": str(port)}
    exported = {**PRODUCTION_VARIABLES, **SUPPORT} if production else {}
    try:
        yield Installation(name, folder, port, files, {**own, **exported}).checked_out(checkout)
    finally:
        sweep(name)


def documented(section: str) -> list[str]:
    """The commands with containers in a section of docs/operators.md, block by block."""
    _, _, text = _OPERATORS.partition(f"\n## {section}\n")
    assert text, section
    return [
        block for block in _BLOCK.findall(text.partition("\n## ")[0]) if block.startswith("docker compose")
    ]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _RECOVERY_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come back"
        time.sleep(0.5)


def _apart(name: str, *, production: bool) -> str:
    """What keeps an installation apart from others on the engine: its image, and a free port for the mail catcher."""
    services = [f"  {service}: {{image: {name}}}" for service in OURS]
    if not production:
        services.append('  mail: {ports: !override ["127.0.0.1::8025"]}')
    return "\n".join(["services:", *services, ""])
