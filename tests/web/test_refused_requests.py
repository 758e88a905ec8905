"""Refused requests as an application's owners see them: the exact cause, by application and by reference."""

import re
from dataclasses import replace

from app.context import Context
from app.flows.developer.refused_requests import write_refused
from app.oauth.token_string import TokenString, compose, new_id, recognise
from app.process.refused_requests import RefusedRequest, RefusedRequests
from tests.support.browser import Browser, query_of
from tests.support.owners import register_own, sign_up
from tests.support.references import reference_of
from tests.web.reading import found, words_of
from tests.web.test_own_applications import client_id_of

URI = "https://sitewise.example/callback"


async def registered(owner: Browser) -> str:
    return client_id_of(await register_own(owner, addresses=URI))


async def causes(context: Context, owner: Browser, client_id: str) -> list[str]:
    await write_refused(context)
    page = await owner.get(f"/app/developer/{client_id}/requests")
    assert page.status_code == 200, page.text
    return [" ".join(each.itertext()) for each in found(page, "//ul[@class='refusals']/li/p[bdi]")]


async def test_a_wrong_secret_a_wrong_code_and_a_wrong_address_are_told_apart(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    client_id = await registered(owner)
    form = {"client_id": client_id, "client_secret": "rovi_cs_wrong", "code": "rovi_ac_x"}
    await stranger.http.post("/app/oauth2/token", data=form)
    await stranger.get(f"/app/oauth2/authorize?client_id={client_id}&redirect_uri={URI}/")
    await stranger.get(f"/app/oauth2/authorize?client_id={client_id}&redirect_uri={URI}&scope=tea:read")
    scope, address, secret = await causes(context, owner, client_id)
    assert "tea:read" in scope
    assert f"{URI}/ is not registered: it differs from {URI} in its last slash" in address
    assert "secret" in secret
    listed = words_of(await owner.get("/app/developer"))
    assert "3 requests were refused today" in listed


async def test_a_reference_leads_there(context: Context, owner: Browser, stranger: Browser) -> None:
    """From the error page, through the sign-in, to the cause."""
    client_id = await registered(owner)
    page = await stranger.get(
        f"/app/oauth2/authorize?client_id={client_id}&redirect_uri=https://else.example/"
    )
    [link] = found(page, "//dl[@class='reference']//a/@href")
    assert page.headers["x-request-id"] in link
    await write_refused(context)
    assert "else.example" in words_of(await owner.get(link))
    assert 'name="password"' in (await stranger.get(link)).text


async def test_the_reference_of_somebody_elses_application_tells_nothing(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    client_id = await registered(owner)
    page = await owner.get(f"/app/oauth2/authorize?client_id={client_id}&redirect_uri=https://else.example/")
    await write_refused(context)
    await sign_up(context, stranger)
    found_there = await stranger.get(f"/app/developer/requests?reference={page.headers['x-request-id']}")
    assert "else.example" not in found_there.text
    assert "No refused request" in words_of(found_there)


async def test_the_reference_in_a_body_leads_there(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    """As a program reads it: from JSON, and from an AEMP document in either form."""
    await registered(owner)
    token = {"Authorization": f"Bearer {compose('at', 'c', new_id(), bytes(20)).text}"}
    answers = [
        await stranger.http.post("/app/oauth2/token", data={"client_id": str(new_id()), "code": "x"}),
        await stranger.get("/api/v2/Fleet/1", **token, Accept="application/json"),
        await stranger.get("/api/v1/Fleet/1", **token),
    ]
    await write_refused(context)
    for answer, error in zip(answers, ("invalid_client", "invalid_token", "invalid_token"), strict=True):
        shown = await owner.get(f"/app/developer/requests?reference={reference_of(answer)}")
        assert error in words_of(shown)


async def test_what_names_no_known_application_is_found_by_its_reference(
    context: Context, owner: Browser
) -> None:
    answer = await owner.http.post("/app/oauth2/token", data={"client_id": str(new_id()), "code": "x"})
    await write_refused(context)
    shown = await owner.get(f"/app/developer/requests?reference={answer.headers['x-request-id']}")
    assert "invalid_client" in words_of(shown)


async def test_a_refused_reader_is_known_by_its_token(context: Context, owner: Browser) -> None:
    """R-45: a forged token that names another's id is not laid to that application."""
    page = await register_own(owner, addresses=URI)
    client_id, [secret] = client_id_of(page), set(re.findall(r"rovi_cs_\w+", page.text))
    consent = await owner.get(f"/app/oauth2/authorize?client_id={client_id}&redirect_uri={URI}")
    code = query_of(await owner.submit(consent, {"decision": "approve"}, action="/consent"))["code"]
    form = {"client_id": client_id, "client_secret": secret, "code": code}
    token = (await owner.http.post("/app/oauth2/token", data=form)).json()["access_token"]
    forged = recognise(token)
    assert isinstance(forged, TokenString)
    forged_token = compose("at", "c", forged.id, bytes(20)).text
    for path, shown in (("/api/v2/Fleet/0", token), ("/api/v2/Fleet/1", forged_token)):
        await owner.http.get(path, headers={"Authorization": f"Bearer {shown}"})
    assert len(await causes(context, owner, client_id)) == 1
    await owner.http.post("/app/oauth2/revoke", data={**form, "token": token})
    await owner.http.get("/api/v2/Fleet/1", headers={"Authorization": f"Bearer {token}"})
    newest, *_ = await causes(context, owner, client_id)
    assert "it was revoked at" in newest


async def test_an_address_that_cannot_be_stored_takes_no_other_along(
    context: Context, owner: Browser
) -> None:
    answers = [
        await owner.get("/api/v2/Fleet/Equipment/%00%7f%ff", Authorization="Bearer x"),
        await owner.http.post("/app/oauth2/token", data={"client_id": str(new_id()), "code": "x\0"}),
        await owner.http.post("/app/oauth2/token", data={"client_id": str(new_id()), "code": "x"}),
    ]
    await write_refused(context)
    for answer in answers:
        shown = await owner.get(f"/app/developer/requests?reference={answer.headers['x-request-id']}")
        assert "No refused request" not in words_of(shown)


async def test_nothing_secret_is_kept(context: Context, owner: Browser) -> None:
    """R-45: neither code nor secret nor token nor verifier."""
    client_id = await registered(owner)
    secrets = {
        "client_secret": "rovi_cs_" + "s" * 43,
        "code": "rovi_ac_" + "c" * 56,
        "code_verifier": "v" * 43,
    }
    await owner.http.post("/app/oauth2/token", data={"client_id": client_id, **secrets})
    await owner.http.get("/api/v2/Fleet/1", headers={"Authorization": "Bearer rovi_at_" + "t" * 56})
    await write_refused(context)
    rows = await context.database.rows("SELECT * FROM refused_request")
    text = " ".join(str(value) for row in rows for value in row.values())
    assert not [each for each in (*secrets.values(), "t" * 56) if each in text]


async def test_a_thousand_are_kept_and_no_more(context: Context, owner: Browser) -> None:
    client_id = await registered(owner)
    [application] = await context.database.rows("SELECT id FROM application WHERE id = $1::uuid", client_id)
    own = replace(context, refused_requests=RefusedRequests(most_of_one=1_100))
    for number in range(1_100):
        assert own.refused_requests.admit(application["id"], None)
        own.refused_requests.note(
            RefusedRequest(
                new_id(),
                context.now(),
                f"reference-{number}",
                application["id"],
                None,
                "/x",
                400,
                "e",
                f"{number}",
            )
        )
    await write_refused(own)
    rows = await context.database.rows(
        "SELECT detail FROM refused_request WHERE application_id = $1", application["id"]
    )
    assert {int(row["detail"]) for row in rows} == set(range(100, 1_100))


async def test_older_ones_have_a_page(context: Context, owner: Browser) -> None:
    client_id = await registered(owner)
    for number in range(30):
        await owner.get(
            f"/app/oauth2/authorize?client_id={client_id}&redirect_uri=https://e{number}.example/"
        )
    await write_refused(context)
    first = await owner.get(f"/app/developer/{client_id}/requests")
    [link] = found(first, "//a[normalize-space()='Older ones']/@href")
    second = await owner.get(link)
    assert len(found(first, "//ul[@class='refusals']/li")) == 25
    assert len(found(second, "//ul[@class='refusals']/li")) == 5


def test_a_flood_is_bounded() -> None:
    """R-75: of one application in one round, and of all."""
    gathered = RefusedRequests(most_of_one=10, most=25)
    for number in range(100):
        application_id = new_id() if number % 2 else None
        if gathered.admit(application_id, None):
            gathered.note(RefusedRequest(new_id(), None, "r", application_id, None, "/", 400, "e", "d"))  # type: ignore[arg-type]
    taken, left_out = gathered.take()
    assert (len(taken), left_out) == (25, 75)
    assert sum(each.application_id is None for each in taken) == 10
