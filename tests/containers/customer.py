"""A customer of an installation, with machines, a browser and a connected application."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlencode

import httpx2

from app.aemp.model.times import format_time
from tests.containers.installation import Installation
from tests.support.browser import Browser, query_of
from tests.support.people import PASSWORD, REDIRECT_URI
from tests.test_containers import HTTPS

ANN = "ann@hillside.example"
MACHINES = 3


class EndingTls(httpx2.AsyncHTTPTransport):
    """What a proxy does in front of an installation: https outside, http inside, the name as it came."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        inside = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return await super().handle_async_request(
            httpx2.Request(request.method, inside, headers=request.headers, stream=request.stream)
        )


def browser_on(installation: Installation) -> Browser:
    if installation.is_production:
        return Browser(base_url=HTTPS, transport=EndingTls(installation.port))
    return Browser(base_url=f"http://localhost:{installation.port}")


@dataclass(frozen=True, slots=True)
class Customer:
    """client: id and secret of a classic application."""

    installation: Installation
    client: dict[str, str]

    @classmethod
    def add(cls, installation: Installation) -> Self:
        installation.rovitracker(f"customer add --email {ANN} --name Hillside", PASSWORD)
        installation.rovitracker(
            f"fleet simulate --customer {ANN} --machines {MACHINES} --days 1 --interval 1h"
        )
        return cls(installation, register(installation, "--redirect-uri", REDIRECT_URI))

    async def token(self) -> str:
        """By the documented flow: sign in, approve, exchange the code."""
        asked = {"client_id": self.client["client_id"], "state": "s-1", "redirect_uri": REDIRECT_URI}
        async with browser_on(self.installation) as browser:
            page = await browser.get(f"/app/oauth2/authorize?{urlencode(asked)}")
            page = await browser.sign_in(page, ANN, PASSWORD)
            approved = query_of(await browser.submit(page, {"decision": "approve"}, action="/consent"))
            return await exchange(browser, {**self.client, "code": approved["code"]})

    async def machines(self, token: str) -> list[str]:
        """The PINs of those that a token opens."""
        async with browser_on(self.installation) as browser:
            answer = await browser.get("/api/v2/Fleet/1", **bearer(token), Accept="application/json")
        assert answer.status_code == 200, answer.text
        return [each["EquipmentHeader"]["PIN"] for each in answer.json()["Equipment"]]

    async def report(self, pin: str) -> dict[str, Any]:
        """What a gateway's reading of a machine came to."""
        gateway = register(self.installation, "--grant", "client_credentials", "--scope", "telemetry:write")
        at = format_time(datetime.now(UTC) - timedelta(minutes=1))
        reading = {"PIN": pin, "CumulativeOperatingHours": {"Hour": 99_999, "datetime": at}}
        async with browser_on(self.installation) as browser:
            asked = {"grant_type": "client_credentials", "scope": "telemetry:write", **gateway}
            token = await exchange(browser, asked)
            answer = await browser.http.post(
                "/api/v2/telemetry",
                content=json.dumps(reading),
                headers={**bearer(token), "Content-Type": "application/x-ndjson"},
            )
        assert answer.status_code == 200, answer.text
        kept: dict[str, Any] = answer.json()
        return kept


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def register(installation: Installation, *options: str) -> dict[str, str]:
    """Its id and secret, as a token request sends them."""
    made = installation.rovitracker(f"app register --name Sitewise --company Sitewise {' '.join(options)}")
    return {name: made[name] for name in ("client_id", "client_secret")}


async def exchange(browser: Browser, fields: dict[str, str]) -> str:
    answer = await browser.http.post("/app/oauth2/token", data=fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
