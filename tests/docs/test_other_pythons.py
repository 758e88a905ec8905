"""A clone runs on other versions of Python than the suite's own, from sign-in to a page of the fleet."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from app.embedded import default_data_dir
from app.embedded.removal import remove
from tests.docs.test_readme_commands import made_running, read_announcement, wait_until_ready
from tests.support.browser import Browser, query_of
from tests.support.depth import DEPTH
from tests.support.server import ROOT, free_port

OLDEST, NEWEST = 11, 14  # of Python 3
OTHERS = [minor for minor in range(NEWEST, OLDEST - 1, -1) if minor != sys.version_info.minor]

pytestmark = pytest.mark.timeout(400)


@cache
def python(minor: int) -> str | None:
    """The interpreter of this version on the path, if it can make a virtual environment."""
    found = shutil.which(f"python3.{minor}")
    if found is None:
        return None
    done = subprocess.run([found, "-c", "import ensurepip, ssl, venv"], capture_output=True, check=False)
    return found if done.returncode == 0 else None


def cloned(folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


@pytest.mark.parametrize("minor", OTHERS, ids=[f"3.{minor}" for minor in OTHERS])
async def test_a_clone_runs_on_another_python(
    minor: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = python(minor)
    if other is None:
        pytest.skip(f"not shown: the service on Python 3.{minor}, which is not on the path")
    if DEPTH == 1 and minor != next(filter(python, OTHERS)):
        pytest.skip(f"not shown: the service on Python 3.{minor}; `make check-long` does")
    clone = cloned(tmp_path / "rovitracker")
    monkeypatch.setenv("PYTHON", other)
    try:
        with made_running(clone, free_port()) as (address, process):
            announced = read_announcement(process)
            wait_until_ready(address)
            await walk(address, announced)
    finally:
        remove(default_data_dir(clone))
        shutil.rmtree(default_data_dir(clone), ignore_errors=True)


async def walk(address: str, announced: str) -> None:
    """As the announcement says: the customer signs in and approves, and the application reads."""
    told = dict(re.findall(r"(e-mail|password|client_id|client_secret) +(\S+)", announced))
    [link] = set(re.findall(rf"{address}(/app/oauth2/authorize\S+)", announced))
    async with Browser(base_url=address) as browser:
        page = await browser.sign_in(await browser.get(link), told["e-mail"], told["password"])
        back = query_of(await browser.submit(page, {"decision": "approve"}, action="/consent"))
        asked = {name: told[name] for name in ("client_id", "client_secret")}
        token = await browser.http.post("/app/oauth2/token", data={**asked, "code": back["code"]})
        assert token.status_code == 200, token.text
        bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
        assert (await browser.http.get("/api/v2/Fleet/1", headers=bearer)).status_code == 200
