"""The demo application's side of the documented flow, in development: what an integrator's own page would do."""

from typing import Any, cast

import httpx2
import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.oauth.errors import PageError
from app.oauth.parameters import parse_form
from app.sentence import Sentence
from app.web.demo import Demo
from app.web.pages.browser import read_form
from app.web.pages.render import ASSET_VERSION, page
from app.web.paths import DEMO_FLEET, DEMO_TOKEN, FIRST_PAGE, STATIC_FILES, TOKEN
from app.web.request import context_of, raw_query

_LOGO = f"{STATIC_FILES}/sitewise.png?v={ASSET_VERSION}"
_MACHINES_SHOWN = 5


def demo_of(request: Request) -> Demo | None:
    return cast("Demo | None", request.app.state.demo)


async def callback(request: Request) -> Response:
    """Where the browser comes back to, with `code` and `state` or with `error`."""
    demo = _demo(request)
    answer = parse_form(raw_query(request))
    code = answer.get("code")
    return _page(
        request,
        demo,
        step="error" if "error" in answer else "code",
        code=code,
        state=answer.get("state"),
        error=answer.get("error"),
        error_description=answer.get("error_description"),
        token_curl=_token_curl(demo, code or ""),
        token_hidden=[("code", code or "")],
    )


async def fetch_token(request: Request) -> Response:
    """The button: the same token request as the curl line."""
    demo = _demo(request)
    code = (await read_form(request)).get("code", "")
    fields = {"client_id": demo.client_id, "client_secret": demo.client_secret, "code": code}
    async with _http(request) as client:
        answer = await client.post(TOKEN, data=fields)
    token = answer.json().get("access_token", "")
    return _page(
        request,
        demo,
        step="token" if token else "code",
        code=code,
        token_curl=_token_curl(demo, code),
        token_answer=orjson.dumps(answer.json(), option=orjson.OPT_INDENT_2).decode(),
        fleet_curl=_fleet_curl(demo, token) if token else None,
        fleet_hidden=[("token", token)],
    )


async def call_api(request: Request) -> Response:
    """The second button: the AEMP request with the token."""
    demo = _demo(request)
    token = (await read_form(request)).get("token", "")
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    async with _http(request) as client:
        answer = await client.get(FIRST_PAGE, headers=headers)
    return _page(
        request,
        demo,
        step="fleet" if answer.is_success else "token",
        machines=machines_of(answer.json()) if answer.is_success else None,
        fleet_curl=_fleet_curl(demo, token),
        fleet_answer=orjson.dumps(answer.json(), option=orjson.OPT_INDENT_2).decode(),
    )


def machines_of(fleet: dict[str, Any]) -> list[dict[str, Any]]:
    """What the application's own page might show of its first answer; readings a machine does not send are None."""
    return [
        {
            "name": machine["EquipmentHeader"].get("EquipmentID"),
            "model": " ".join(machine["EquipmentHeader"].get(part, "") for part in ("OEMName", "Model")),
            "hours": machine.get("CumulativeOperatingHours", {}).get("Hour"),
            "fuel_percent": machine.get("FuelRemaining", {}).get("Percent"),
        }
        for machine in fleet["Equipment"][:_MACHINES_SHOWN]
    ]


def _page(request: Request, demo: Demo, **values: Any) -> Response:
    absent: dict[str, Any] = dict.fromkeys(
        [
            "code",
            "state",
            "error",
            "error_description",
            "token_curl",
            "token_answer",
            "fleet_curl",
            "fleet_answer",
            "machines",
        ]
    )
    defaults = {
        **absent,
        "token_hidden": [],
        "fleet_hidden": [],
        "token_action": DEMO_TOKEN,
        "fleet_action": DEMO_FLEET,
    }
    application = {"name": "Sitewise Rentals", "company": "Sitewise Rentals Ltd", "logo_url": _LOGO}
    return page(
        request,
        "demo_callback.html",
        application=application,
        restart_url=demo.consent_url,
        **{**defaults, **values},
    )


def _demo(request: Request) -> Demo:
    demo = demo_of(request)
    if demo is None or not context_of(request).policy.development:
        raise PageError(
            Sentence("There is no demo here"),
            Sentence("The demo application exists in development mode only."),
            404,
        )
    return demo


def _http(request: Request) -> httpx2.AsyncClient:
    """The service itself, through its whole HTTP front, without needing to know under which port it is reached."""
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=request.app), base_url=context_of(request).policy.issuer
    )


def _token_curl(demo: Demo, code: str) -> str:
    return (
        f"curl -X POST {demo.issuer}{TOKEN} \\\n"
        f"  -d client_id={demo.client_id} \\\n  -d client_secret={demo.client_secret} \\\n  -d code={code}"
    )


def _fleet_curl(demo: Demo, token: str) -> str:
    return (
        f"curl {demo.issuer}{FIRST_PAGE} \\\n  -H 'Accept: application/json' \\\n"
        f"  -H 'Authorization: Bearer {token}'"
    )
