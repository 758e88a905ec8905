"""Instances of the service behind HAProxy or nginx, both as docs/operators.md and deploy/ have them, ports aside."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.certificates import write_certificate
from tests.support.debian import program
from tests.support.growing import blocks
from tests.support.listening import listening
from tests.support.server import ROOT, free_port, listener, running_service

OF_HAPROXY, OF_NGINX, REPLACE = blocks("Several instances")
_SERVER = r"10\.0\.0\.\d:8000"
_NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {site}
}}
"""


@dataclass(slots=True)
class Instance:
    """One `rovitracker serve` on a port that its successor takes over."""

    port: int
    settings: dict[str, str]
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Return once it is ready."""
        await self._running.enter_async_context(running_service(port=self.port, settings=self.settings))

    async def stop(self) -> None:
        """SIGTERM; return once it has ended."""
        await self._running.aclose()

    @property
    def pid(self) -> int:
        return listener(self.port)


@asynccontextmanager
async def two_instances(settings: dict[str, str]) -> AsyncIterator[list[Instance]]:
    """Both ready."""
    instances = [Instance(free_port(), settings) for _ in range(2)]
    try:
        for each in instances:
            await each.start()
        yield instances
    finally:
        for each in instances:
            await each.stop()


def configuration_of(
    kind: str, folder: Path, port: int, instances: list[Instance], check_every: str | None
) -> str:
    """As documented, for these instances. check_every: in the place of the documented pace of HAProxy.

    Neither kind gets a port for plain HTTP. It fails where the page names more instances than there are.
    """
    certificate = write_certificate(folder)
    text = (ROOT / "deploy" / f"{kind}.{'cfg' if kind == 'haproxy' else 'conf'}").read_text()
    if kind == "haproxy":
        text = text[: text.index("\nbackend rovitracker")] + "\n" + OF_HAPROXY
        text = text.replace("/etc/haproxy/certificates/auth.example.com.pem", f"{certificate}")
        text = text.replace("bind :443", f"bind 127.0.0.1:{port}").replace("    bind :80\n", "")
        text = text.replace("maxconn 20000", "maxconn 1000")  # as many files as anybody may open
        if check_every is not None:
            text = text.replace("inter 2s", f"inter {check_every}")
    else:
        text = OF_NGINX + text[text.index("\nserver {") :]
        text = re.sub(r"/etc/letsencrypt/live/\S+\.pem", f"{certificate}", text)
        text = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", text, flags=re.DOTALL)
        text = text.replace("    listen [::]:443 ssl;\n", "").replace(
            "listen 443", f"listen 127.0.0.1:{port}"
        )
        text = _NGINX.format(folder=folder, site=text)
    for each in instances:
        text = re.sub(_SERVER, f"127.0.0.1:{each.port}", text, count=1)
    assert not re.search(_SERVER, text)
    return text


@asynccontextmanager
async def proxy_before(
    kind: str, folder: Path, instances: list[Instance], *, check_every: str | None
) -> AsyncIterator[str]:
    """The https address of a proxy; skips where the machine has none of this kind."""
    path = program(kind)
    if path is None:
        pytest.skip(f"not shown: several instances behind {kind}; `make servers` installs it")
    port, file = free_port(), folder / "configuration"
    file.write_text(configuration_of(kind, folder, port, instances, check_every))
    arguments = ("-db", "-f") if kind == "haproxy" else ("-c",)
    async with listening([path, *arguments, str(file)], port, folder / "told"):
        yield f"https://127.0.0.1:{port}"
