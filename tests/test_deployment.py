"""The image's steps and compose's logins replayed without an engine, up to a service that gives a token."""

import json
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
import redis.exceptions

from app.interpreter import is_compiled
from hatch_build import COMPILED
from tests.support.browser import Browser, query_of
from tests.support.clusters import each_postgres
from tests.support.composition import BASE, ComposedStores, read_compose, run_stores
from tests.support.dockerfile import Stage, build_context, read_stages, replay
from tests.support.server import free_port

EMAIL = "ann@hillside.example"
PASSWORD = "correct horse battery"
REDIRECT_URI = "https://sitewise.example/callback"


@dataclass(frozen=True, slots=True)
class Container:
    """A command of the image, in the environment compose.yaml gives it."""

    stage: Stage
    root: Path
    environment: Mapping[str, str]

    def start(self, arguments: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command(arguments),
            env=self._environment(),
            cwd=self.root,
            start_new_session=True,
            text=True,
        )

    def run(self, *arguments: str, text: str = "") -> dict[str, Any] | list[Any]:
        """A verb's document."""
        done = subprocess.run(
            self._command([*self.stage.one("ENTRYPOINT").arguments, *arguments]),
            env=self._environment(),
            cwd=self.root,
            input=text,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] | list[Any] = json.loads(done.stdout)
        return document

    def is_healthy(self) -> bool:
        command = self.stage.one("HEALTHCHECK").arguments
        return (
            subprocess.run(
                self._command(command), env=self._environment(), check=False, capture_output=True
            ).returncode
            == 0
        )

    def _command(self, arguments: list[str]) -> list[str]:
        program, *rest = arguments
        return [str(self.root / "opt" / "rovitracker" / "bin" / program), *rest]

    def _environment(self) -> dict[str, str]:
        """Nothing of this shell's; /data is not there to be written."""
        image = {name: value for name, value in self.stage.environment.items() if name != "PATH"}
        return {"PATH": os.defpath, **image, **self.environment}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, Path]:
    """The image, and the folder that stands for its file system."""
    folder = tmp_path_factory.mktemp("built")
    build, image = read_stages()
    assert image.one("COPY").arguments == ["--from=build", "/opt/rovitracker", "/opt/rovitracker"]
    compiled = "true" if is_compiled() else "false"  # as this run is
    replay(build, build_context(folder / "context"), folder / "image", COMPILED=compiled)
    return image, folder / "image"


@pytest.mark.timeout(600)  # compiling takes minutes
def test_image_runs_its_hot_rooms_as_machine_code(built: tuple[Stage, Path]) -> None:
    """All that are named, beside their sources, and nothing of what compiled them."""
    if not is_compiled():
        pytest.skip("not shown: that an image's hot rooms can be compiled; `make check-compiled` does")
    [packages] = (built[1] / "opt/rovitracker/lib").glob("python3.*/site-packages")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    assert [each for each in COMPILED if not (packages / each).with_suffix(suffix).is_file()] == []
    assert all((packages / each).is_file() for each in COMPILED)
    assert not list(packages.glob("mypy*"))


@pytest.mark.timeout(600)
@each_postgres
async def test_image_with_composed_stores_serves_the_documented_flow(
    built: tuple[Stage, Path], tmp_path: Path, major: str
) -> None:
    image, root = built
    services = read_compose(tmp_path, BASE).document["services"]

    with run_stores(tmp_path, services["valkey"]["command"], major=major) as stores:
        assert stores.valkey.ping()
        port = free_port()
        address = {"ROVITRACKER_PORT": str(port), "ROVITRACKER_PUBLIC_URL": f"http://localhost:{port}"}
        secrets = {
            name: {"ROVITRACKER_SECRETS_DIR": str(getattr(stores, name))} for name in ("migrate", "service")
        }
        migrate = Container(image, root, {**services["migrate"]["environment"], **secrets["migrate"]})
        service = Container(
            image, root, {**services["service"]["environment"], **address, **secrets["service"]}
        )
        assert migrate.run(*services["migrate"]["command"])
        await _assert_logins_are_bounded(stores)
        with _serving(service, image):
            await assert_documented_flow(service.run, f"http://127.0.0.1:{port}")
        assert not service.is_healthy()


@contextmanager
def _serving(service: Container, image: Stage) -> Iterator[None]:
    """The image's own command, on the loopback interface; stopped as an engine stops it."""
    arguments = [*image.one("ENTRYPOINT").arguments, *image.one("CMD").arguments]
    running = service.start(["127.0.0.1" if word == "0.0.0.0" else word for word in arguments])  # noqa: S104
    try:
        deadline = time.monotonic() + 60
        while not service.is_healthy():
            assert running.poll() is None, "the service ended"
            assert time.monotonic() < deadline, "the service does not become healthy"
            time.sleep(0.3)  # each look is a program of its own, which would take the service's processor
        yield
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=25)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


async def _assert_logins_are_bounded(stores: ComposedStores) -> None:
    """The service's login cannot change the schema, the owner can make no roles, Valkey knows nobody without a name."""
    login = await asyncpg.connect((stores.service / "rovitracker_database_url").read_text())
    owner = await asyncpg.connect((stores.migrate / "rovitracker_migration_database_url").read_text())
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await login.execute("CREATE TABLE mine ()")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await login.execute("SET ROLE rovitracker_owner")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute("CREATE ROLE another")
    finally:
        await login.close()
        await owner.close()
    with pytest.raises(redis.exceptions.NoPermissionError):
        stores.valkey.get("anything")


async def assert_documented_flow(run: Callable[..., Any], address: str) -> None:
    """run: the words of a verb give its document."""
    run("customer", "add", "--email", EMAIL, "--name", "Hillside", "--json", text=PASSWORD)
    run("fleet", "simulate", "--customer", EMAIL, "--machines", "3", "--days", "1", "--json")
    application = run(
        *("app", "register", "--name", "Sitewise", "--company", "Sitewise Ltd", "--json"),
        *("--redirect-uri", REDIRECT_URI),
    )
    assert isinstance(application, dict)
    credentials = {name: application[name] for name in ("client_id", "client_secret")}
    async with Browser(base_url=address) as browser:
        query = {"client_id": credentials["client_id"], "state": "s-1", "redirect_uri": REDIRECT_URI}
        page = await browser.get(str(httpx2.URL("/app/oauth2/authorize", params=query)))
        page = await browser.sign_in(page, EMAIL, PASSWORD)
        back = query_of(await browser.submit(page, {"decision": "approve"}, action="/consent"))
        assert back["state"] == "s-1"
        token = await browser.http.post("/app/oauth2/token", data={**credentials, "code": back["code"]})
        assert token.status_code == 200, token.text
        assert token.json()["type"] == "Bearer"
        bearer = {"Authorization": f"Bearer {token.json()['access_token']}", "Accept": "application/json"}
        fleet = await browser.http.get("/api/v2/Fleet/1", headers=bearer)
        assert fleet.status_code == 200, fleet.text
        assert len(fleet.json()["Equipment"]) == 3
