"""The requests of an integrator's server, each with what its answer must be."""

from locust.contrib.fasthttp import FastHttpSession

from bench.scenarios.answers import describes, document_of, expect, is_token
from bench.scenarios.catalogue import FLEET, INTROSPECT, TOKEN
from bench.scenarios.material import Account
from bench.scenarios.supplies import Answers, Codes, Consented

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def exchange_prepared(server: FastHttpSession, codes: Codes) -> bool:
    """False when no code is left."""
    prepared = codes.next()
    if prepared is None:
        return False
    with server.post(TOKEN, data=prepared.form, headers=_FORM, name=TOKEN, catch_response=True) as answer:
        expect(answer, right=is_token(document_of(answer)))
    codes.answers.keep(answer.content or b"", prepared.position)
    return True


def exchange_consented(
    server: FastHttpSession, account: Account, code: str, consented: Consented | None
) -> str:
    """The access token."""
    form = {**account.credentials, "code": code}
    with server.post(TOKEN, data=form, name=TOKEN, catch_response=True) as answer:
        document = document_of(answer)
        expect(answer, right=is_token(document))
    if consented is not None:
        consented.keep(form, answer.content or b"")
    token: str = document["access_token"]
    return token


def issue_client_token(server: FastHttpSession, credentials: dict[str, str], answers: Answers) -> None:
    form = {"grant_type": "client_credentials", **credentials}
    with server.post(TOKEN, data=form, name=TOKEN, catch_response=True) as answer:
        expect(answer, right=is_token(document_of(answer)))
    answers.keep(answer.content or b"")


def refresh(server: FastHttpSession, credentials: dict[str, str], token: str) -> bytes:
    """The answer, which holds the next refresh token."""
    form = {"grant_type": "refresh_token", "refresh_token": token, **credentials}
    with server.post(TOKEN, data=form, name=TOKEN, catch_response=True) as answer:
        document = document_of(answer)
        expect(answer, right=is_token(document) and document.get("refresh_token") not in (None, token))
    return answer.content or b""


def introspect(server: FastHttpSession, credentials: dict[str, str], token: str) -> None:
    form = {**credentials, "token": token}
    with server.post(INTROSPECT, data=form, name=INTROSPECT, catch_response=True) as answer:
        expect(answer, right=describes(document_of(answer), credentials["client_id"]))


def read_fleet(server: FastHttpSession, token: str, *, page: int = 1, machines: int | None = 1) -> None:
    """machines: that the page must hold; None: any number of them."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    path = FLEET.replace("{page}", str(page))
    with server.get(path, headers=headers, name=FLEET, catch_response=True) as answer:
        found = len(document_of(answer).get("Equipment", ()))
        expect(answer, right=found > 0 and machines in (None, found))
