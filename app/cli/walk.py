"""A flow walked step by step against a running service: what was asked, what came back."""

from dataclasses import asdict, dataclass
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2
import orjson
from rich.console import Console

from app.cli.output import fail, print_json, wants_json
from app.storage.schema.address import shown_address

_TIMEOUT_S = 30
_SECRET_FIELDS = {"client_secret", "code_verifier"}


@dataclass(frozen=True, slots=True)
class Step:
    """One request. Secrets in it are masked; what the service gave out is not."""

    step: str
    request: str
    status: int
    answer: Any


class Walk:
    """Steps are printed as they happen for people, and all at once for programs."""

    def __init__(self, url: str, *, as_json: bool) -> None:
        self.url = url
        self._as_json = wants_json(as_json)
        self._steps: list[Step] = []
        try:
            self._http = httpx2.Client(base_url=url, timeout=_TIMEOUT_S, mounts=_direct_ways(url))
        except (httpx2.InvalidURL, ValueError) as error:
            fail(f"{url} is no address ({error}): name the service with --url")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()
        if self._as_json and kind is None:
            print_json([asdict(step) for step in self._steps])

    def get(self, step: str, path: str, *, token: str | None = None) -> Any:
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self._send(step, f"GET {path}", self._http.build_request("GET", path, headers=headers))

    def post(self, step: str, path: str, fields: dict[str, str]) -> Any:
        shown = " ".join(
            f"{name}={'****' if name in _SECRET_FIELDS else value}" for name, value in fields.items()
        )
        return self._send(step, f"POST {path} {shown}", self._http.build_request("POST", path, data=fields))

    def probe(self, path: str) -> int:
        """The status of a page that a browser will open; this is no step of its own."""
        return self._answer(self._http.build_request("GET", path)).status_code

    def note(self, step: str, request: str, status: int, answer: Any) -> None:
        """A step that was not taken from here."""
        self._print(Step(step, request, status, answer))

    def _send(self, step: str, shown: str, request: httpx2.Request) -> Any:
        """The JSON document of a successful answer; anything else is shown and ends the walk."""
        response = self._answer(request)
        document = _document(response)
        self._print(Step(step, shown, response.status_code, _short(document)))
        if not response.is_success:
            told = document if isinstance(document, str) else orjson.dumps(document).decode()
            fail(f"{step}: {response.status_code} {told}")
        return document

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return self._http.send(request)
        except httpx2.TransportError as error:
            fail(
                f"no service answers at {self.url}{_through(self.url)} ({str(error) or type(error).__name__}): start it "
                "with `rovitracker serve`, or name another with --url"
            )

    def _print(self, step: Step) -> None:
        self._steps.append(step)
        if self._as_json:
            return
        console = Console(highlight=False, soft_wrap=True)
        console.print(f"[bold]{len(self._steps)}. {step.step}[/bold]")
        console.print(f"   {step.request}\n   {step.status}", markup=False)
        text = orjson.dumps(step.answer, option=orjson.OPT_INDENT_2).decode()
        console.print("".join(f"   {line}\n" for line in text.splitlines()), markup=False)


def _direct_ways(url: str) -> dict[str, None]:
    """A proxy that the environment names leads out into the world, and never to a service on this machine."""
    host = urlsplit(url).hostname or ""
    return {f"all://{'[::1]' if host == '::1' else host}": None} if _is_here(host) else {}


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _through(url: str) -> str:
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy is None or _is_here(parts.hostname or "") or proxy_bypass(parts.hostname or ""):
        return ""
    return f" through the proxy {shown_address(proxy)}"


def _document(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return " ".join(response.text.split())[:200]


def _short(document: Any) -> Any:
    """A page of a fleet with one line a machine; everything else as it came."""
    if not isinstance(document, dict) or "Equipment" not in document:
        return document
    headers = [machine["EquipmentHeader"] for machine in document["Equipment"]]
    shown = [f"{each.get('OEMName', '')} {each.get('Model', '')}".strip() for each in headers[:5]]
    return {"machines_on_this_page": len(headers), "first": shown}
