"""nginx lets in who has a good token, as its page sets it up, and what the page warns of does happen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from app.oauth.token_string import mint
from tests.clients.pages import block
from tests.clients.served import Served, credentials_of
from tests.support.debian import program
from tests.support.listening import listening
from tests.support.server import free_port

AROUND = """
daemon off;
master_process off;
pid %(folder)s/pid;
error_log %(folder)s/log error;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %(folder)s/body;
  proxy_temp_path %(folder)s/proxy;
  fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi;
  scgi_temp_path %(folder)s/scgi;
  server {
    listen 127.0.0.1:%(port)d;
    %(block)s
  }
}
"""
FORGED = mint("at", "c", 0).text


@asynccontextmanager
async def nginx(settings: str, folder: Path) -> AsyncIterator[httpx2.AsyncClient]:
    path = program("nginx")
    if path is None:
        pytest.skip("not shown: that nginx asks as its page sets it up; `make servers` installs it")
    port, file = free_port(), folder / "nginx.conf"
    file.write_text(AROUND % {"folder": folder, "port": port, "block": settings})
    (folder / "index.html").write_text("the machines")
    async with (
        listening([path, "-c", str(file)], port, folder / "told"),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


def settings(service: Served, folder: Path) -> str:
    return block("nginx", "nginx", {"ISSUER": service.address}).replace("/srv/machines", str(folder))


async def status(client: httpx2.AsyncClient, token: str, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await client.get("/", headers={"Authorization": f"Bearer {token}", **named})).status_code


async def test_page_lets_in_by_a_good_token_alone(service: Served, tmp_path: Path) -> None:
    token = await service.world.token(service.browser)
    async with nginx(settings(service, tmp_path), tmp_path) as client:
        etag = (await service.browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")).headers["etag"]
        # nginx has a page of its own for this address too, and nothing that a browser says reaches the service.
        assert await status(client, token, If_None_Match=etag, Accept="image/png") == 200
        refused = await client.get("/", headers={"Authorization": f"Bearer {FORGED}"})
        assert (refused.status_code, (await client.get("/")).status_code) == (401, 401)
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
        await service.revoke(token, service.world.registered)
        assert await status(client, token) == 401


async def test_token_of_another_scope_is_forbidden(service: Served, tmp_path: Path) -> None:
    gateway = await service.register(
        grants=("client_credentials",),
        scope=("telemetry:write",),
        customer_id=service.world.member.customer_id,
    )
    answer = await service.browser.http.post(
        "/app/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "scope": "telemetry:write",
            **credentials_of(gateway),
        },
    )
    async with nginx(settings(service, tmp_path), tmp_path) as client:
        assert await status(client, answer.json()["access_token"]) == 403


async def test_introspection_would_let_everyone_in(service: Served, tmp_path: Path) -> None:
    """The trap of the page: why it asks for a fleet."""
    world = service.world
    asking = f"client_id={world.client_id}&client_secret={world.client_secret}&token=$http_x_token"
    form = f'proxy_set_header Content-Type application/x-www-form-urlencoded; proxy_set_body "{asking}";'
    wrong = (
        settings(service, tmp_path)
        .replace("proxy_method HEAD;", f"proxy_method POST; {form}")
        .replace("proxy_pass_request_body off;", "")
        .replace("/api/v2/Fleet/1", "/app/oauth2/introspect")
    )
    async with nginx(wrong, tmp_path) as client:
        assert (await client.get("/", headers={"X-Token": FORGED})).status_code == 200


async def test_headers_of_a_browser_would_make_a_500(service: Served, tmp_path: Path) -> None:
    """The trap of the page: why it passes on one header."""
    token = await service.world.token(service.browser)
    etag = (await service.browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")).headers["etag"]
    wrong = settings(service, tmp_path).replace("proxy_pass_request_headers off;", "")
    async with nginx(wrong, tmp_path) as client:
        assert await status(client, token, If_None_Match=etag) == 500
        assert await status(client, token, Accept="image/png") == 500
        assert await status(client, token) == 200
