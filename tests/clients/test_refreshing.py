"""Two refreshes at once, and keys instead of a secret: the blocks of these pages run, and what they warn of happens."""

import asyncio
import importlib.util
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import httpx2
import pytest

from app.oauth.token_string import PATTERN
from bench.ground.installation import UnavailableError, install_node, install_python
from tests.clients.pages import block, written
from tests.clients.served import Served, credentials_of
from tests.support.assertions import by_assertion, claims_of, jwks_of, key_pair, pem_of, signed
from tests.support.browser import Browser
from tests.support.people import REDIRECT_URI, Pair, Strict, reads
from tests.support.server import ROOT

CALLERS = 8


@pytest.fixture
async def strict(service: Served) -> Strict:
    return service.strict(await service.register(REDIRECT_URI, kind="strict"))


@pytest.fixture
async def pair(service: Served, strict: Strict) -> Pair:
    return await strict.pair(service.browser)


async def run(program: str, file: Path, **environment: str) -> str:
    """What it prints."""
    process = await asyncio.create_subprocess_exec(
        program,
        str(file),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.fixture
async def pools(database_url: str, pair: Pair) -> AsyncIterator[list[asyncpg.Pool]]:
    """Those of two processes, on an application's own table with one customer in it."""
    owner = await asyncpg.connect(database_url)
    await owner.execute(f"CREATE SCHEMA sitewise; SET search_path = sitewise; {block('refreshing', 'sql')}")
    await owner.execute("INSERT INTO connected VALUES ('hillside', $1, $2)", *pair)
    settings = {"search_path": "sitewise"}
    made = [
        await asyncpg.create_pool(database_url, min_size=1, max_size=4, server_settings=settings)
        for _ in range(2)
    ]
    yield made
    for pool in made:
        await pool.close()
    await owner.execute("DROP SCHEMA sitewise CASCADE")
    await owner.close()


def imported(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def page(service: Served, strict: Strict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in {"ISSUER": service.address, **credentials_of(strict.registered)}.items():
        monkeypatch.setenv(name.upper(), value)
    return imported(written(tmp_path, "page.py", block("refreshing", "python")))


async def test_processes_that_lock_the_row_refresh_once(
    service: Served, pair: Pair, pools: list[Any], page: ModuleType
) -> None:
    """O-60: callers of two processes, with the same refused token, share the next one, and the pair goes on."""
    async with httpx2.AsyncClient() as http:
        asked = [page.access_token(pool, http, "hillside", pair.access) for pool in pools * (CALLERS // 2)]
        [token] = set(await asyncio.gather(*asked))
        assert token != pair.access
        assert await reads(service.browser, token)
        later = await page.access_token(pools[0], http, "hillside", token)
    assert await reads(service.browser, later)


async def test_callers_of_one_process_share_a_promise(
    service: Served, strict: Strict, pair: Pair, tmp_path: Path
) -> None:
    """O-60."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("not shown: that the page's JavaScript runs as it stands; install node")
    calls = f"""
    const pairs = new Map([["hillside", {{ access_token: {pair.access!r}, refresh_token: {pair.refresh!r} }}]]);
    const save = async (customer, pair) => void pairs.set(customer, pair);
    const ask = () => accessToken(pairs, save, "hillside", {pair.access!r});
    const tokens = await Promise.all(Array.from({{ length: {CALLERS} }}, ask));
    console.log([...new Set([...tokens, await ask()])].join());
    """
    file = written(tmp_path, "page.mjs", block("refreshing", "javascript") + calls)
    known = {name.upper(): value for name, value in credentials_of(strict.registered).items()}
    token = (await run(node, file, ISSUER=service.address, **known)).strip()
    assert re.fullmatch(PATTERN, token)
    assert await reads(service.browser, token)


async def test_without_a_lock_the_connection_ends(service: Served, strict: Strict, pair: Pair) -> None:
    """O-60: the trap of the page."""
    async with Browser(base_url=service.address) as other:
        answers = await asyncio.gather(
            *(strict.refresh(each, pair.refresh) for each in (service.browser, other))
        )
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code, lost.json()["error"]) == (200, 400, "invalid_grant")
    assert not await reads(service.browser, won.json()["access_token"])


KEYED = {"grants": ("client_credentials",), "kind": "strict", "jwks": jwks_of(key_pair("EC"))}


async def test_assertion_for_the_token_endpoint_is_refused(service: Served) -> None:
    """O-150: the audience that some libraries sign for, one of two, and the issuer itself."""
    keyed = await service.register(**KEYED)
    token_endpoint = f"{service.address}/app/oauth2/token"

    async def asked(**claims: object) -> int:
        whole = claims_of(str(keyed.client.id), **claims)
        fields = {"grant_type": "client_credentials", **by_assertion(signed(key_pair("EC"), whole))}
        return (await service.browser.http.post(token_endpoint, data=fields)).status_code

    assert await asked(aud=token_endpoint) == 401
    assert await asked(aud=[service.address, token_endpoint]) == 401
    assert await asked(aud=service.address) == 200


async def keyed_run(service: Served, folder: Path, language: str, text: str = "") -> list[str]:
    """What the page's block for the libraries of an example prints."""
    installing = {"python": install_python, "javascript": install_node}[language]
    try:
        program = installing(ROOT / "examples" / language)
    except UnavailableError as error:
        pytest.skip(f"not shown: that the page's {language} runs; its libraries cannot be had here: {error}")
    keyed = await service.register(**KEYED)
    name = f"page.{'py' if language == 'python' else 'mjs'}"
    file = written(folder, name, text or block("private-key-jwt", language))
    (folder / "node_modules").symlink_to(ROOT / "examples" / "javascript" / "node_modules")
    pem = pem_of(key_pair("EC"))
    printed = await run(str(program), file, ISSUER=service.address, CLIENT_ID=str(keyed.client.id), KEY=pem)
    return printed.split()


@pytest.mark.timeout(300)  # the first time, the libraries are installed
async def test_libraries_sign_for_the_issuer_as_their_page_sets_them_up(
    service: Served, tmp_path: Path
) -> None:
    """O-134, O-150: Authlib, twice with one session, and openid-client."""
    again = '\ntoken = session.fetch_token(ISSUER + "/app/oauth2/token", grant_type="client_credentials")\nprint(token["access_token"])\n'
    tokens = await keyed_run(service, tmp_path, "python", block("private-key-jwt", "python") + again)
    tokens += await keyed_run(service, tmp_path / "javascript", "javascript")
    assert len(tokens) == 3
    assert all(re.fullmatch(PATTERN, token) for token in tokens)


@pytest.mark.timeout(300)
async def test_claims_that_authlib_keeps_work_once(service: Served, tmp_path: Path) -> None:
    """O-150: the shorter way that the page warns of."""
    shorter = """
import sys

from joserfc.jwk import ECKey

session = OAuth2Session(
    os.environ["CLIENT_ID"],
    ECKey.import_key(os.environ["KEY"]),
    token_endpoint_auth_method=PrivateKeyJWT(ISSUER, claims={"exp": int(time.time()) + 60}, alg="ES256"),
)
for _ in range(2):
    answer = session.fetch_token(ISSUER + "/app/oauth2/token", grant_type="client_credentials")
    print(answer["access_token"], file=sys.stderr)
"""
    text = block("private-key-jwt", "python").partition("session =")[0] + shorter
    with pytest.raises(AssertionError, match=r"(?s)rovi_at_s\w+\s+Traceback.*invalid_client"):
        await keyed_run(service, tmp_path, "python", text)
