"""/docs: everything the OpenAPI document says, as a page that asks for nothing but itself."""

import shlex
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from fastapi import FastAPI
from lxml import html
from starlette.requests import Request

from app.web.reference import examples
from app.web.reference.docs import docs as docs_page
from app.web.reference.page import rich
from tests.oauth.test_errors import RFCS
from tests.support.browser import ORIGIN, Browser
from tests.web.described import OPERATIONS, Operation, documented
from tests.web.reading import attributes_of, tags_of, words_of
from tests.web.services import Services, unreachable_database
from tests.web.told import page_about

# Further forms of an address are shown with the operation that says everything else about them.
FORMS = {
    each.id: each.described["x-form-of"] for each in OPERATIONS.values() if "x-form-of" in each.described
}
SHOWN = [each for each in OPERATIONS.values() if each.id not in FORMS]
EACH = pytest.mark.parametrize("operation", SHOWN, ids=lambda each: each.id)


@pytest.fixture
async def docs(browser: Browser) -> httpx2.Response:
    answer = await browser.get("/docs")
    assert answer.status_code == 200
    return answer


def article_of(docs: httpx2.Response, operation: Operation) -> Any:
    return element_of(docs, f"//article[@id='{operation.id}']")


def element_of(docs: httpx2.Response, path: str) -> Any:
    tree: Any = html.fromstring(docs.text)
    (element,) = tree.xpath(path)
    return element


def text_of(element: Any) -> str:
    return " ".join(" ".join(map(str, element.itertext())).split())


def samples_of(article: Any, kind: str) -> list[str]:
    return [str(each.text_content()) for each in article.xpath(f".//*[contains(@class, '{kind}')]//pre")]


@EACH
async def test_operation_is_shown_whole(operation: Operation, docs: httpx2.Response) -> None:
    """Its address, its parameters, the bodies it takes, and everything it may answer."""
    article = article_of(docs, operation)
    words = text_of(article)
    assert text_of(article.find("header")).endswith(f"{operation.method.upper()} {operation.path}")
    fields = {each["name"] for each in operation.parameters}
    fields |= set(operation.form.get("schema", {}).get("properties", {}))
    assert fields <= {text_of(each).removesuffix(" required") for each in article.iter("dt")}
    bodies = operation.described.get("requestBody", {}).get("content", {})
    assert operation.form or set(bodies) <= {text_of(each) for each in article.xpath(".//p/code")}
    for each in documented(operation):
        assert each.status == "200" or f"{each.status} " in words or operation.id == "authorizeByPost"
        if each.media_type == "application/json" and each.status != "200" and each.name:
            assert each.name in words


@EACH
async def test_request_to_copy_is_the_documented_one(operation: Operation, docs: httpx2.Response) -> None:
    """A shell reads it like this: nothing is lost in quoting."""
    samples = samples_of(article_of(docs, operation), "docs-request")
    if operation.id == "authorize":
        (link,) = samples
        asked = dict(httpx2.URL(link).params)
        assert link.startswith(f"{ORIGIN}/app/oauth2/authorize?")
        assert asked == {each["name"]: each["example"] for each in operation.parameters if "example" in each}
        return
    commands = [shlex.split(sample.replace("\\\n", " ")) for sample in samples]
    forms = [OPERATIONS[name] for name, usual in FORMS.items() if usual == operation.id]
    fields = [dict(field.split("=", 1) for field in option_of(each, "--data-urlencode")) for each in commands]
    examples_of_form = operation.form.get("examples", {"": {"value": {}}}).values()
    assert fields == [each["value"] for each in examples_of_form] + [{} for _ in forms]
    addresses = [operation] * len(examples_of_form) + forms
    assert [command[:2] for command in commands] == [["curl", example_address(each)] for each in addresses]


def example_address(operation: Operation) -> str:
    given = {each["name"]: quote(str(each.get("example")), safe=":") for each in operation.parameters}
    return ORIGIN + operation.path.format_map(given)


@EACH
async def test_credentials_of_a_request_are_the_documented_ones(
    operation: Operation, docs: httpx2.Response
) -> None:
    schemes = {name for alternative in operation.described["security"] for name in alternative}
    for sample in samples_of(article_of(docs, operation), "docs-request"):
        words = shlex.split(sample.replace("\\\n", " "))
        in_the_form = "client_id" in sample or "client_assertion" in sample
        assert bool(option_of(words, "--user")) == ("basic" in schemes and not in_the_form)
        authorization = [each for each in option_of(words, "--header") if each.startswith("Authorization")]
        assert authorization == [f"Authorization: Bearer {examples.TOKEN}"] * ("bearer" in schemes)


def option_of(words: list[str], name: str) -> list[str]:
    return [value for option, value in pairwise(words) if option == name]


@EACH
async def test_examples_of_answers_are_shown_as_they_are(operation: Operation, docs: httpx2.Response) -> None:
    shown = samples_of(article_of(docs, operation), "docs-answer")
    as_json = [httpx2.Response(200, text=each).json() for each in shown if each.startswith("{")]
    for each in documented(operation):
        if each.status == "200" and each.example is not None:
            assert each.example in (as_json if "json" in each.media_type else shown)


async def test_page_begins_with_the_way_to_register(docs: httpx2.Response, browser: Browser) -> None:
    first = element_of(docs, "//section[@id='start']/p/a")
    assert (text_of(first), first.get("href")) == ("Register yourself", "/app/register")
    assert "Sign up with your e-mail address" in words_of(await browser.get("/app/register"))


async def test_page_begins_with_the_five_steps(docs: httpx2.Response) -> None:
    steps = element_of(docs, "//ol[@class='docs-steps']")
    titles = [text_of(each) for each in steps.iter("h2")]
    assert titles == [
        "Register yourself, once",
        "Send the customer",
        "Receive the code",
        "Exchange it for a token",
        "Read the machines",
    ]


@pytest.mark.parametrize("code", sorted(RFCS))
async def test_every_error_of_the_rfcs_has_its_place_on_the_page(code: str, docs: httpx2.Response) -> None:
    """RFC 6749 section 5.2: where error_uri leads, the error is explained."""
    path, _, anchor = page_about(code).removeprefix(ORIGIN).partition("#")
    assert path == "/docs"
    words = text_of(element_of(docs, f"//div[@id='{anchor}']"))
    assert words.startswith(f"{code} ")
    assert len(words.split()) > 10


async def test_page_needs_nobody_and_no_script(docs: httpx2.Response) -> None:
    """R-41, R-42: under the same policy as every page of ours."""
    assert not tags_of(docs) & {"script", "style", "iframe", "img", "form"}
    assert not attributes_of(docs, "*", "style")
    policy = docs.headers["content-security-policy"]
    assert "default-src 'none'; style-src 'self'; img-src 'self'" in policy
    assert "unsafe" not in policy
    links = attributes_of(docs, "a", "href") + attributes_of(docs, "link", "href")
    assert all(link.startswith(("/", "#")) for link in links)
    ids = set(attributes_of(docs, "*", "id"))
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    assert "/openapi.json" in links


async def test_addresses_begin_with_the_issuer_whatever_host_was_asked(
    docs: httpx2.Response, browser: Browser, services: Services
) -> None:
    """R-78."""
    assert (
        await browser.get("/docs", Host="evil.example", X_Forwarded_Host="evil.example")
    ).text == docs.text
    async with Browser(services.under(issuer="https://auth.rovitracker.example")) as elsewhere:
        page = words_of(await elsewhere.get("/docs"))
    assert "https://auth.rovitracker.example/app/oauth2/token" in page
    assert "localhost" not in page


async def test_page_is_there_without_any_store(services: Services) -> None:
    """A person who must find out why nothing works can still read how it should."""
    async with unreachable_database() as database, Browser(services.like(database=database)) as down:
        assert (await down.get("/docs")).status_code == 200
        assert (await down.get("/openapi.json")).status_code == 200


async def test_discovery_documents_lead_to_the_page(browser: Browser, docs: httpx2.Response) -> None:
    for path, member in (
        ("oauth-authorization-server", "service_documentation"),
        ("oauth-protected-resource/api", "resource_documentation"),
    ):
        document = (await browser.get(f"/.well-known/{path}")).json()
        assert (await browser.get(document[member])).text == docs.text


def test_descriptions_are_text_with_code_and_nothing_else() -> None:
    assert rich("send `a<b>` & <i>wait</i>") == "send <code>a&lt;b&gt;</code> &amp; &lt;i&gt;wait&lt;/i&gt;"


async def test_page_is_rendered_once(app: FastAPI) -> None:
    """R-75: whoever asks for it again and again costs no rendering, and is sent the one copy."""
    request = Request({"type": "http", "app": app, "context": app.state.context, "headers": []})
    assert (await docs_page(request)).body is (await docs_page(request)).body
