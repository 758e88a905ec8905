"""The table of addresses is what is bound, served, refused, shared with other origins and documented."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from lxml import etree
from starlette.routing import Mount, Route, compile_path
from starlette.types import Receive, Scope, Send

from app.context import Context
from app.oauth.token_string import new_id
from app.policy import audience_of
from app.web.front.hot import HOT_HANDLERS, all_hot_paths
from app.web.paths import (
    API,
    DEMO_CALLBACK,
    DEMO_FLEET,
    DEMO_TOKEN,
    EMAIL_LINK,
    INVITATION,
    LOGO,
    PASSWORD_NEW,
    PICK_UP,
    RESOURCE_METADATA,
    SIGN_UP,
    STATIC_FILES,
    TRY,
    WELL_KNOWN,
)
from app.web.routes import HANDLERS, router
from app.web.table import TABLE, ErrorForm, Row
from tests.support.browser import Browser
from tests.support.references import reference_of
from tests.support.server import ROOT
from tests.web.described import OPERATIONS
from tests.web.sampled import sample_of
from tests.web.services import Services

every_row = pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.methods[0]} {row.path}")


def asked(row: Row) -> str:
    """An address of this row."""
    return f"{row.path}/site.css" if row.path == STATIC_FILES else sample_of(row.path)


# Handlers


def test_every_row_has_one_handler_and_every_handler_a_row() -> None:
    rows = [(row.path, row.methods) for row in TABLE]
    assert len(rows) == len(set(rows))
    assert set(HANDLERS) == set(rows)


def test_router_has_the_rows_and_preflights_for_what_other_origins_ask() -> None:
    mounted = [route.path for route in router.routes if isinstance(route, Mount)]
    routed = sorted(
        (route.path, *sorted(route.methods or ())) for route in router.routes if isinstance(route, Route)
    )
    preflights = [(row.path, "OPTIONS") for row in TABLE if row.cross_origin in ("answers", "readings")]
    rows = [(row.path, *row.methods) for row in TABLE if row.path != STATIC_FILES]
    assert mounted == [STATIC_FILES]
    assert routed == sorted([*rows, *preflights])
    assert len(router.routes) == len(mounted) + len(routed)


# What handlers say themselves where the table's address is right and nothing is there.
NOTHING_THERE = {
    LOGO: "There is no such picture",
    DEMO_CALLBACK: "There is no demo here",
    DEMO_TOKEN: "There is no demo here",
    DEMO_FLEET: "There is no demo here",
    PASSWORD_NEW: "This link does not work",
    EMAIL_LINK: "This link does not work",
    INVITATION: "This link does not work",
    SIGN_UP: "This link does not work",
    PICK_UP: "This link does not work",
}


@every_row
async def test_every_row_is_served_by_each_of_its_methods(browser: Browser, row: Row) -> None:
    for method in row.methods:
        answer = await browser.http.request(method, asked(row))
        if row.path in NOTHING_THERE:
            assert answer.status_code == 404
            assert method == "HEAD" or NOTHING_THERE[row.path] in answer.text
        else:
            assert answer.status_code not in (404, 405, 500)


# The front


def test_the_front_has_the_hot_rows_and_no_others() -> None:
    hot = all_hot_paths()
    assert set(HOT_HANDLERS) == {row.path for row in TABLE if row.hot}
    for row in TABLE:
        for method in {*row.methods, "OPTIONS", "PUT"}:
            found = hot.find(asked(row), method)
            assert (found is not None and found.path == row.path) == (row.hot and method in row.methods)


async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("planted by a test")


@pytest.fixture
async def frameless(services: Services) -> AsyncIterator[Browser]:
    """A browser on a service whose framework fails at every request, so that only the front answers."""
    app: FastAPI = services.like()
    app.middleware_stack = fail
    async with Browser(app) as browser:
        yield browser


@every_row
async def test_hot_rows_are_answered_before_the_framework(frameless: Browser, row: Row) -> None:
    for method in row.methods:
        answer = await frameless.http.request(method, asked(row))
        assert (answer.status_code != 500) == row.hot


# Errors


def form_of(answer: httpx2.Response) -> ErrorForm:
    """The form of an error as who receives it can tell. Fails where an error has none of the three."""
    media_type = answer.headers["content-type"].partition(";")[0]
    if media_type == "application/json":
        explained = set() if answer.status_code == 500 else {"error_uri"}
        assert set(answer.json()) == {"error", "error_description", *explained, "reference"}
        assert reference_of(answer) == answer.headers["x-request-id"]
        return "json"
    if media_type == "application/xml":
        children = [each.tag for each in etree.fromstring(answer.content)]
        assert children == ["Status", "Code", "Message", "Reference"]
        assert reference_of(answer) == answer.headers["x-request-id"]
        return "aemp"
    assert media_type == "text/html"
    assert answer.text.startswith("<!doctype html>")
    assert answer.headers["x-request-id"] in answer.text
    return "page"


@every_row
async def test_wrong_method_is_refused_in_the_form_of_the_row(browser: Browser, row: Row) -> None:
    answer = await browser.http.put(asked(row))
    assert answer.status_code == 405
    assert form_of(answer) == row.errors


@every_row
async def test_fault_of_ours_is_told_in_the_form_of_the_row(frameless: Browser, row: Row) -> None:
    answer = await frameless.http.put(asked(row))
    assert answer.status_code == 500
    assert form_of(answer) == row.errors


# Written out, so that a row cannot change its form by a slip; all others are read by people.
TOLD_AS_JSON = {
    "/app/oauth2/userinfo",
    "/app/oauth2/token",
    "/app/oauth2/introspect",
    "/app/oauth2/revoke",
    "/app/oauth2/jwks",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-protected-resource/api",
    "/health/alive",
    "/health/ready",
    "/version",
}


def test_programs_are_told_errors_in_their_own_form() -> None:
    assert {row.path for row in TABLE if row.errors == "json"} == TOLD_AS_JSON
    assert {row for row in TABLE if row.errors == "aemp"} == {
        row for row in TABLE if row.path.startswith(API)
    }


def test_rows_of_one_path_tell_errors_in_one_form() -> None:
    assert len({(row.path, row.errors) for row in TABLE}) == len({row.path for row in TABLE})


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/nowhere", "page"),
        ("/app/nowhere", "page"),
        ("/app/oauth2/nowhere", "json"),
        ("/app/oauth2/authorize/", "json"),
        ("/app/oauth2//authorize", "page"),
        ("/app/oauth2/x/consent", "page"),
        ("/api", "page"),
        ("/api/nowhere", "aemp"),
        ("/api/v1/authorize", "aemp"),
        ("/.well-known/nowhere", "json"),
        ("/health/nowhere", "json"),
        ("/versions", "json"),
    ],
)
async def test_address_that_nobody_serves_is_refused_like_its_neighbours(
    browser: Browser, path: str, form: ErrorForm
) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 404
    assert form_of(answer) == form


# Other origins


async def permission(browser: Browser, method: str, row: Row) -> tuple[int, str | None]:
    """Status, and the origins whose scripts may read the answer."""
    headers = {"Origin": "https://spa.example", "Access-Control-Request-Method": row.methods[0]}
    answer = await browser.http.request(method, asked(row), headers=headers)
    return answer.status_code, answer.headers.get("access-control-allow-origin")


@every_row
async def test_headers_say_what_the_row_lets_other_origins_read(browser: Browser, row: Row) -> None:
    _, answered = await permission(browser, row.methods[0], row)
    before, asks = await permission(browser, "OPTIONS", row)
    assert answered == (None if row.cross_origin == "nothing" else "*")
    if row.cross_origin in ("answers", "readings"):
        assert (before, asks) == (204, "*")
    else:
        assert (before, asks) == (405, None)


# Documents


def test_openapi_describes_the_documented_rows_and_no_others() -> None:
    """A row of AEMP takes many forms of address, each of them described."""
    described = [rows_of(each.path, each.method.upper()) for each in OPERATIONS.values()]
    assert [len(rows) for rows in described] == [1] * len(OPERATIONS)
    assert {row for [row] in described} == {row for row in TABLE if row.documented}


def rows_of(path: str, method: str) -> list[Row]:
    return [row for row in TABLE if method in row.methods and compile_path(row.path)[0].match(path)]


def test_metadata_of_the_resource_lies_where_its_name_says() -> None:
    """RFC 9728 section 3.1."""
    assert f"{WELL_KNOWN}oauth-protected-resource{audience_of('')}" == RESOURCE_METADATA
    assert audience_of("") + "/" == API


# The only place

OWN = re.compile(r"(?<!/)/(app|api|docs|health|version|openapi\.json|\.well-known)\b")
# The audience is a name before it is an address, and the description of a setting is told to operators.
ELSEWHERE = {"app/web/paths.py", "app/policy.py", "app/setting_groups.py"}


def literals_of(file: Path) -> Iterator[str]:
    """Its texts, those within f-strings too, but for docstrings."""
    tree = ast.parse(file.read_text())
    told = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told:
            yield node.value


def test_the_page_where_owners_try_an_application_is_of_the_table(context: Context) -> None:
    application_id = new_id()
    address = TRY.replace("{application:uuid}", str(application_id))
    assert context.policy.trial_uri(application_id) == f"{context.policy.issuer}{address}"


def test_no_address_is_written_out_beside_the_table() -> None:
    written = {
        (name, text)
        for file in (ROOT / "app").rglob("*.py")
        for text in literals_of(file)
        if OWN.search(text) and (name := str(file.relative_to(ROOT)))
    }
    assert {name for name, _ in written} >= ELSEWHERE, "this test finds nothing any more"
    assert [each for each in sorted(written) if each[0] not in ELSEWHERE] == []


def test_templates_write_out_only_addresses_of_the_table() -> None:
    """They are read by designers, so they name addresses themselves."""
    written = {
        found
        for file in (ROOT / "app/web/pages/templates").rglob("*.html")
        for found in re.findall(r'(?:href|src|action)="(/[^"?]*)', file.read_text())
    }
    pages = {each for each in written if not each.startswith(f"{STATIC_FILES}/")}
    assert len(pages) > 3
    assert written > pages
    assert pages <= {row.path for row in TABLE if "GET" in row.methods}


def test_mails_lead_only_to_addresses_of_the_table() -> None:
    text = "".join(file.read_text() for file in (ROOT / "app/mail/templates").iterdir())
    written = set(re.findall(r'issuer (?:\}\}|~ ")(/[a-z/-]*)', text))
    assert written == {
        "/app/password/forgotten",
        "/app/password/new",
        "/app/email",
        "/app/account/security",
        "/app/account/profile",
        "/app/invitation/",
        "/app/account/people",
        "/app/account/applications",
        "/app/account/applications/",
        "/app/account/requests/",
        "/app/developer/",
        "/app/developer/pick-up",
        "/app/register/",
        "/app/developer/new",
    }
    # A mailed secret follows where the table has a parameter.
    assert written <= {row.path.partition("{")[0] for row in TABLE if "GET" in row.methods}
