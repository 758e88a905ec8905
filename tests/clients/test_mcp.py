"""The MCP SDKs find out alone where to ask and for which scope, as their page sets them up."""

from pathlib import Path

import pytest

from app.flows.account.register_application import RegisteredApplication
from tests.clients.pages import block, written
from tests.clients.served import Served, filled
from tests.clients.software import conversing, node, python
from tests.support.assertions import jwks_of, key_pair, pem_of

REDIRECT_URI = "http://127.0.0.1:8400/callback"
MACHINES = "3 machines"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
async def application(service: Served) -> RegisteredApplication:
    return await service.register(REDIRECT_URI, kind="strict")


async def check(service: Served, program: Path, file: Path, application: RegisteredApplication) -> None:
    async with conversing(program, file) as said:
        link = await said.line()
        assert "scope=aemp%3Aread" in link
        assert "resource=" in link
        assert await said.end(await service.approve(link)) == [MACHINES, MACHINES]
    assert await service.refreshes(application) == 1


async def test_python_connects_reads_and_refreshes(
    service: Served, application: RegisteredApplication, tmp_path: Path
) -> None:
    values = {**filled(service, application), "REDIRECT_URI": REDIRECT_URI}
    await check(service, python(), written(tmp_path, "page.py", block("mcp", "python", values)), application)


async def test_javascript_connects_reads_and_refreshes(
    service: Served, application: RegisteredApplication, tmp_path: Path
) -> None:
    values = {**filled(service, application), "REDIRECT_URI": REDIRECT_URI}
    file = written(tmp_path, "page.mjs", block("mcp", "javascript", values))
    await check(service, node(tmp_path), file, application)


async def test_javascript_asks_for_every_scope_unless_it_passes_the_challenges_on(
    service: Served, application: RegisteredApplication, tmp_path: Path
) -> None:
    """The trap of the page."""
    values = {**filled(service, application), "REDIRECT_URI": REDIRECT_URI}
    careless = block("mcp", "javascript", values).replace(
        "resourceMetadataUrl, scope };", "resourceMetadataUrl };"
    )
    async with conversing(node(tmp_path), written(tmp_path, "page.mjs", careless)) as said:
        answer = await service.browser.get(await said.line())
    assert "error=invalid_scope" in answer.headers["location"]


async def test_python_signs_for_the_issuer(service: Served, tmp_path: Path) -> None:
    """O-150."""
    keyed = await service.register(
        kind="strict",
        grants=("client_credentials",),
        jwks=jwks_of(key_pair("EC")),
        customer_id=service.world.member.customer_id,
    )
    file = written(tmp_path, "page.py", block("private-key-jwt", "python", number=1))
    key = pem_of(key_pair("EC"))
    known = {"ISSUER": service.address, "CLIENT_ID": str(keyed.client.id), "KEY": key}
    async with conversing(python(), file, **known) as said:
        assert await said.end("") == [MACHINES]
