"""The service does what /openapi.json documents: every answer and every refusal in it is provoked."""

from collections.abc import AsyncIterator, Hashable
from dataclasses import replace

import httpx2
import orjson
import pytest
from fastapi import FastAPI
from joserfc.jws import extract_compact
from starlette.types import Receive, Scope, Send

from app.aemp.model.series import Metric
from app.aemp.model.values import Equipment
from app.context import Context
from app.door.draining import DRAINING
from app.flows.account.register_application import register_application
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from app.settings import Settings
from app.simulation.fleet import simulate_fleet
from app.storage.people.signing_keys import remember_signing_keys
from app.throttling.budgets import Budget, Budgets
from app.throttling.failures import Failures, _Lane
from app.web.reference import examples
from tests.support.assertions import register_keyed
from tests.support.browser import ORIGIN, Browser, query_of
from tests.support.changing import change
from tests.support.histories import history_of
from tests.support.people import Strict, World
from tests.web.described import (
    OPERATIONS,
    Documented,
    Operation,
    body_of,
    check,
    check_answer,
    documented,
)
from tests.web.openapi_story import (
    ROBOT,
    YESTERDAY,
    Story,
    form_faults,
    post,
    read,
    reading_faults,
    replaced,
    write,
    writing_faults,
)
from tests.web.services import Services, unreachable_database

ANSWERS = [each for operation in OPERATIONS.values() for each in documented(operation)]
GRANTED = [each for each in ANSWERS if each.status == "200"]
REFUSED = [each for each in ANSWERS if each.status != "200" and each.operation.id != "ready"]
FORMS = [
    (operation, name) for operation in OPERATIONS.values() for name in operation.form.get("examples", {})
]

TOKEN = OPERATIONS["requestToken"]
BY_CODE = TOKEN.form["examples"]["documented"]["value"]

# These depend on the moment, or on the machine that the service runs on.
MOMENTARY = {"stored", "exp", "iat", "jti", "snapshotTime", "x", "y", "kid"}


@pytest.fixture(scope="module")
async def story(app: FastAPI, settings: Settings, context: Context) -> AsyncIterator[Story]:
    world = await World.make(context, redirect_uris=(examples.REDIRECT_URI,))
    robot = await World.make(context)
    await change(
        context,
        "UPDATE application SET grants = '{client_credentials}' WHERE id = $1",
        robot.registered.client.id,
    )
    others = [Equipment(header=header) for header in (examples.TRUCK, *examples.TWINS)]
    simulated = simulate_fleet(machines=229, days=2, interval_s=900, seed=7, now=context.now())
    await import_machines(context, world.member.customer_id, (examples.MACHINE, *simulated, *others))
    await report_examples(world)
    gateway_token = await token_to_write(context, app, world)
    services = Services(settings, context)
    production = replace(context.policy, development=False)  # what strangers read is written for them
    async with Browser(app) as browser, unreachable_database() as database:
        gathered = services.gathered(database)
        keys = remember_signing_keys(database, context.keys, context.changes)
        without = services.like(database=database, gathered=gathered, signing_keys=keys)
        async with Browser(without) as down:
            code = await world.code(browser, redirect_uri=examples.REDIRECT_URI)
            token = (await world.exchange(browser, code)).json()["access_token"]
            robot_token = (await robot.exchange(browser, None, grant_type=ROBOT)).json()["access_token"]
            strict, public = [await strict_application(world, public=each) for each in (False, True)]
            async with (
                Browser(services.like(failures=exhausted(world))) as wary,
                Browser(services.like(budgets=NoBudget())) as spent,
                Browser(services.like(now=lambda: examples.ASKED_AT, policy=production)) as then,
            ):
                keyed = await register_keyed(context)
                yield Story(
                    browser=browser,
                    down=down.http,
                    wary=wary.http,
                    spent=spent.http,
                    then=then.http,
                    world=world,
                    robot=robot,
                    strict=strict,
                    public=public,
                    keyed=keyed,
                    token=token,
                    robot_token=robot_token,
                    gateway_token=gateway_token,
                )
        await gathered.close()


async def token_to_write(context: Context, app: FastAPI, world: World) -> str:
    """The token of an application that reports for this customer."""
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Gateway",
        company="RoviTracker",
        grants=("client_credentials",),
        scope=("telemetry:write",),
        customer_id=world.member.customer_id,
    )
    async with Browser(app) as browser:
        answer = await browser.http.post(
            TOKEN.path,
            data={"grant_type": ROBOT, "scope": "telemetry:write"},
            auth=(str(registered.client.id), registered.client_secret or ""),
        )
    return str(answer.json()["access_token"])


async def report_examples(world: World) -> None:
    """Store what the examples' machine reported before its snapshot."""
    async with history_of(world.context, world.member.customer_id, examples.PIN) as history:
        rows = [(reading.at, reading.hours) for reading in examples.HOURS]
        await history.read(Metric.CUMULATIVE_OPERATING_HOURS, rows)


async def strict_application(world: World, *, public: bool) -> Strict:
    """One that the same customer approves."""
    registered = await register_application(
        world.context,
        COMMAND_LINE,
        name="Fuelwatch",
        company="Fuelwatch GmbH",
        kind="strict",
        public=public,
        redirect_uris=(examples.REDIRECT_URI,),
        scope=("account:read", "aemp:read"),
    )
    return Strict(world.context, world.member, registered)


class NoBudget(Budgets):
    """The budgets of somebody who has just asked for all there is."""

    def __init__(self) -> None:
        super().__init__(a_minute=1)

    def take(self, name: Hashable) -> Budget:
        super().take(name)
        return super().take(name)


def exhausted(world: World) -> Failures:
    """The address of the tests has failed too often, and its lane is full."""
    failures = Failures(a_minute=1)
    for name in ("127.0.0.1", f"{world.client_id} from 127.0.0.1"):
        for _ in range(3):
            failures.note(name)
    failures._lanes["127.0.0.1"] = lane = _Lane()
    lane.waiting = 1000
    return failures


@pytest.mark.parametrize(("operation", "name"), FORMS, ids=lambda each: getattr(each, "id", each))
async def test_documented_request_is_granted(operation: Operation, name: str, story: Story) -> None:
    form = await story.real(operation.form["examples"][name]["value"])
    if operation.id == "revokeToken":  # the story still needs its own
        form["token"] = (await post(story, TOKEN, await story.real(BY_CODE))).json()["access_token"]
    answer = await post(story, operation, form)
    assert answer.status_code in (200, 303), answer.text
    check_answer(answer, operation)


async def test_address_of_the_form_leads_to_the_documented_page(story: Story) -> None:
    operation = OPERATIONS["authorizeByPost"]
    form = await story.real(operation.form["examples"]["documented"]["value"])
    answer = await story.browser.follow(await post(story, operation, form))
    check_answer(answer, OPERATIONS["authorize"])
    assert "Sitewise Rentals Ltd" in answer.text


# ---- Answers as they are documented ----


async def granted(story: Story, each: Documented) -> httpx2.Response:
    """Make the service give this answer."""
    match each.operation.id, each.name:
        case ("requestToken", name):
            form = each.operation.form["examples"][name]["value"]
            return await post(story, each.operation, await story.real(form))
        case ("introspectToken", "active" | "signed"):
            return await post(story, each.operation, {"token": story.token}, accept=each.media_type)
        case ("introspectToken", "refresh_token"):
            token = await story.refresh_token()
            return await post(story, each.operation, {"token": token}, caller=story.strict)
        case ("introspectToken", "inactive") | ("revokeToken", _):
            return await post(story, each.operation, {"token": examples.TOKEN})
        case ("writeTelemetry", _):
            return await write(story)
    asks_with = await story.account_token() if each.operation.id == "readUserinfo" else None
    return await read(story, each.operation, accept=each.media_type, client=story.then, token=asks_with)


@pytest.mark.parametrize("each", [each for each in GRANTED if each.name != "degraded"], ids=str)
async def test_documented_answer_is_given(each: Documented, story: Story) -> None:
    answer = await granted(story, each)
    assert answer.status_code == 200, answer.text
    check_answer(answer, each.operation)
    if each.example is not None:
        schema = each.operation.answer(200)["content"][each.media_type]["schema"]
        real, told = (
            body_of(text, each.media_type, schema) for text in (told_by(story, answer, each), text_of(each))
        )
        if each.name == "signed":
            real, told = claims_in(answer.text, story), claims_in(each.example)
        assert comparable(real) == comparable(told)


def claims_in(text: str, story: Story | None = None) -> object:
    """The claims of a JWT, in the names of the examples; another test verifies signatures."""
    names = [(real, one) for one, real in story.names()] if story else []
    return orjson.loads(replaced(extract_compact(text.encode()).payload.decode(), names))


def told_by(story: Story, answer: httpx2.Response, each: Documented) -> str:
    """The answer in the names of the examples."""
    fresh = answer.json() if "json" in each.media_type else {}
    told = each.example if isinstance(each.example, dict) else {}
    given = [(YESTERDAY, examples.DAY)] if each.operation.id == "writeTelemetry" else []
    given += [(fresh[name], told[name]) for name in ("access_token", "refresh_token") if name in fresh]
    return replaced(answer.text, [(real, one) for one, real in story.names()] + given)


def text_of(each: Documented) -> str:
    return (
        each.example
        if isinstance(each.example, str)
        else httpx2.Request("POST", "/", json=each.example).content.decode()
    )


def comparable(value: object) -> object:
    """The document without what is of the moment, and with only the first machine of many."""
    if isinstance(value, list):
        return [comparable(each) for each in value]
    if not isinstance(value, dict):
        return value
    shortened = value | {name: value[name][:1] for name in ("Equipment", "keys") if name in value}
    return {name: comparable(each) for name, each in shortened.items() if name not in MOMENTARY}


async def test_ready_tells_its_documented_states(services: Services, story: Story) -> None:
    ready = OPERATIONS["ready"]
    stated = {each.name: each.example for each in documented(ready)}
    async with Browser(services.without_valkey()) as degraded:
        for name, client in (("degraded", degraded.http), ("unavailable", story.down)):
            answer = await read(story, ready, client=client)
            check_answer(answer, ready)
            assert answer.json() == stated.pop(name)
    async with httpx2.AsyncClient(transport=leaving(services.like()), base_url=ORIGIN) as client:
        answer = await read(story, ready, client=client)
    check_answer(answer, ready)
    assert answer.json() == stated.pop("draining")
    assert set(stated) == {"ok"}


def leaving(app: FastAPI) -> httpx2.ASGITransport:
    """A server that is about to stop says so with every request."""

    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": {DRAINING: True}}, receive, send)

    return httpx2.ASGITransport(app=tell)


async def test_documented_parameters_come_back_to_the_application(story: Story) -> None:
    """They are those of the callback: `code` or `error`, `state` as it was, `iss`."""
    callback = OPERATIONS["authorize"].described["callbacks"]["answer"]["{$request.query.redirect_uri}"][
        "get"
    ]
    schemas = {each["name"]: each["schema"] for each in callback["parameters"]}
    always = {each["name"] for each in callback["parameters"] if each["required"]}
    for decision, answer in (("approve", {"code"}), ("deny", {"error", "error_description", "error_uri"})):
        page = await story.world.consent_page(
            story.browser, redirect_uri=examples.REDIRECT_URI, state=examples.STATE
        )
        back = query_of(await story.browser.submit(page, {"decision": decision}, action="/consent"))
        assert set(back) == {*answer, "state", *always}
        assert back["state"] == examples.STATE
        for name, value in back.items():
            check(value, schemas[name])


# ---- Refusals as they are documented ----


async def refused(story: Story, each: Documented) -> httpx2.Response:
    """Make the service refuse in this way; a refusal that is not in these tables fails here."""
    what = f"{each.status} {each.name}".strip()
    operation = each.operation
    if operation.id == "writeTelemetry":
        return await write(story, accept=each.media_type, **writing_faults(story)[what])
    if operation.method == "get":
        accept = {"accept": each.media_type or "*/*"}
        faults = reading_faults(story)
        return await read(
            story, operation, **{**accept, **faults[each.name if each.name in faults else what]}
        )
    if each.status == "429":
        wrong = {
            "client_id": story.world.client_id,
            "client_secret": examples.CLIENT_SECRET,
            "token": examples.TOKEN,
        }
        return await story.wary.post(operation.path, data=wrong)
    if each.status == "503":
        return await story.down.post(
            operation.path, data=await story.real(BY_CODE | {"token": examples.TOKEN})
        )
    return await story.browser.http.post(operation.path, **form_faults(story, operation)[what])


@pytest.mark.parametrize("each", REFUSED, ids=str)
async def test_documented_refusal_is_given(each: Documented, story: Story) -> None:
    answer = await refused(story, each)
    assert str(answer.status_code) == each.status, answer.text
    check_answer(answer, each.operation)
    told = answer.text.replace(answer.headers["x-request-id"], examples.REFERENCE)
    if each.media_type == "application/json":
        assert orjson.loads(told) == each.example
    elif each.example is not None:
        assert (told or answer.headers["location"]) == each.example
