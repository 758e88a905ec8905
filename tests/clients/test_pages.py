"""The pages of docs/clients are all listed, and name the versions that are locked, or say that nothing was run."""

import json
import re

import pytest

from tests.clients.pages import PAGES, text_of
from tests.clients.software import CHECKED, FOLDER, INSTALLING

PYTHON = (("mcp", "mcp"), ("social-auth", "social-auth-core"), ("social-auth", "social-auth-app-django"))
JAVASCRIPT = (
    ("authjs", "@auth/express"),
    ("better-auth", "better-auth"),
    ("mcp", "@modelcontextprotocol/sdk"),
    ("oidc-client-ts", "oidc-client-ts"),
)
NAMES = sorted(file.stem for file in PAGES.glob("*.md") if file.stem != "README")


LEFT_OUT = "Spring, Apache's modules, Auth.js, better-auth, oauth2-proxy, social-auth, oidc-client-ts and the MCP SDKs"


@pytest.mark.skipif(not CHECKED, reason=f"not shown: that {LEFT_OUT} work; `make check-clients` runs them")
def test_what_is_left_out_of_the_suite_is_there() -> None:
    assert set(INSTALLING) < {file.stem.removeprefix("test_") for file in FOLDER.glob("test_*.py")}


def run_with(page: str) -> str:
    return " ".join(text_of(page).split("\n## Run with\n")[1].split())


def test_every_page_is_listed() -> None:
    assert sorted(re.findall(r"^\| \[.*?\]\((.*?)\.md\)", text_of("README"), re.MULTILINE)) == NAMES


@pytest.mark.parametrize("page", NAMES)
def test_every_page_says_what_it_was_run_with(page: str) -> None:
    """And a page without a test that reads its blocks says that it was not run."""
    tests = "".join(file.read_text() for file in FOLDER.glob("test_*.py"))
    shown = f'"{page}"' in tests or ('"mod_{module}"' in tests and page.startswith("mod_"))
    assert run_with(page).startswith("Not run.") != shown
    assert ("make test" in run_with(page) or "make check-clients" in run_with(page)) == shown


def test_named_versions_are_the_locked_ones() -> None:
    requirements = (FOLDER / "python" / "requirements.txt").read_text()
    packages = json.loads((FOLDER / "javascript" / "package-lock.json").read_text())["packages"]
    assert "://" not in requirements
    assert all("integrity" in each and "resolved" not in each for name, each in packages.items() if name)
    for page, name in PYTHON:
        [version] = re.findall(rf"^{name}==(\S+)", requirements, re.MULTILINE)
        assert f"{name} {version}" in run_with(page)
    for page, name in JAVASCRIPT:
        assert f"{name} {packages[f'node_modules/{name}']['version']}" in run_with(page)


def test_the_named_oauth2_proxy_is_the_locked_one() -> None:
    module = (FOLDER / "oauth2_proxy" / "go.mod").read_text()
    [version] = re.findall(r"^\tgithub\.com/oauth2-proxy/oauth2-proxy/v7 v(\S+)", module, re.MULTILINE)
    assert f"oauth2-proxy {version}," in run_with("oauth2-proxy")


@pytest.mark.parametrize("folder", ["spring_security_6", "spring_security_7"])
def test_named_springs_are_the_locked_ones(folder: str) -> None:
    jars = (FOLDER / folder / "jars.sha256").read_text()
    for name, jar in (("Spring Boot", "spring-boot"), ("Spring Security", "spring-security-core")):
        [version] = re.findall(rf"  {jar}-([\d.]+)\.jar$", jars, re.MULTILINE)
        assert f"{name} {version}" in run_with("spring")
