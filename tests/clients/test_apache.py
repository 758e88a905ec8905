"""Apache lets in who has a good token, as the pages of its two modules set it up, and refuses revoked ones at once."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from app.flows.account.register_application import RegisteredApplication
from app.oauth.token_string import mint
from tests.clients.pages import block, written
from tests.clients.served import Served, filled
from tests.clients.tls import tls_before
from tests.support.debian import apache_module, program
from tests.support.listening import listening
from tests.support.people import REDIRECT_URI
from tests.support.server import free_port

AROUND = """
ServerName localhost
ServerRoot {folder}
Listen 127.0.0.1:{port}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
Mutex file:{folder}
ErrorLog {folder}/log
{modules}
{trusting}
DocumentRoot {folder}
{block}
"""
# What stands for an authority that the machine trusts.
TRUSTING = {"auth_openidc": "OIDCCABundlePath {certificate}", "oauth2": ""}
PLAIN = ("mpm_event", "authn_core", "authz_core", "authz_user")
FORGED = mint("at", "c", 0).text

pytestmark = pytest.mark.timeout(300)
each_module = pytest.mark.parametrize("module", ["auth_openidc", "oauth2"])


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that Apache's unprivileged children may read."""
    with tempfile.TemporaryDirectory(prefix="rovitracker-apache-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        written(folder, "machines", "the machines").chmod(0o644)
        yield folder


@asynccontextmanager
async def apache(
    service: Served, module: str, folder: Path, change: Callable[[str], str] = str
) -> AsyncIterator[tuple[httpx2.AsyncClient, RegisteredApplication]]:
    """A client of Apache, and the application whose tokens it asks about. change: what a careless reader does."""
    server = program("apache2")
    paths = {name: apache_module(name) for name in (*PLAIN, module)}
    lacking = [name for name, path in paths.items() if path is None]
    if server is None or lacking:
        pytest.skip(f"not shown: that mod_{module} works; root's `make check-clients` installs it")
    application, port = await service.register(REDIRECT_URI), free_port()
    async with tls_before(service.address, folder) as (address, certificate):
        values = filled(service, application)
        if module == "auth_openidc":  # it takes an https address alone
            values["ISSUER"] = address
        text = AROUND.format(
            folder=folder,
            port=port,
            modules="\n".join(f"LoadModule {name}_module {path}" for name, path in paths.items()),
            trusting=TRUSTING[module].format(certificate=certificate),
            block=change(block(f"mod_{module}", "apache", values)),
        )
        command = [server, "-X", "-f", str(written(folder, "apache.conf", text))]
        async with (
            listening(command, port, folder / "told"),
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
        ):
            yield client, application


async def token_of(service: Served, application: RegisteredApplication) -> str:
    return await service.classic(application).token(service.browser)


async def status(client: httpx2.AsyncClient, token: str) -> int:
    return (await client.get("/machines", headers={"Authorization": f"Bearer {token}"})).status_code


@each_module
async def test_a_good_token_is_let_in_until_it_is_revoked(service: Served, module: str, folder: Path) -> None:
    async with apache(service, module, folder) as (client, application):
        token = await token_of(service, application)
        assert [await status(client, token) for _ in range(2)] == [200, 200]
        assert [await status(client, FORGED), (await client.get("/machines")).status_code] == [401, 401]
        await service.revoke(token, application)
        assert await status(client, token) == 401


CACHING = {"auth_openidc": "  OIDCOAuthTokenIntrospectionInterval -1\n", "oauth2": "&expiry=0"}


@each_module
async def test_a_revoked_token_works_on_where_answers_are_kept(
    service: Served, module: str, folder: Path
) -> None:
    """The trap of both pages."""

    def careless(text: str) -> str:
        assert CACHING[module] in text
        return text.replace(CACHING[module], "")

    async with apache(service, module, folder, careless) as (client, application):
        token = await token_of(service, application)
        assert await status(client, token) == 200
        await service.revoke(token, application)
        assert await status(client, token) == 200


@each_module
async def test_another_scope_is_kept_out(service: Served, module: str, folder: Path) -> None:
    async with apache(service, module, folder, lambda text: text.replace("aemp:read", "telemetry:write")) as (
        client,
        application,
    ):
        assert await status(client, await token_of(service, application)) in (401, 403)
