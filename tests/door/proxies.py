"""Debian's nginx and HAProxy before a service, as people set them up, with as few connections to it as there can be.

All their clients share one connection to the service, so whoever is answered on it for somebody else shows.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.debian import program
from tests.support.listening import listening
from tests.support.server import free_port

# The map is the one of nginx's own documentation of WebSocket, but that it keeps connections to the service alive.
# The rest lets through as much as nginx can be made to. It passes a body of more than 1 KB on apart from its head, and
# unbuffered each piece when it comes.
_NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/log error;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000;
  large_client_header_buffers 8 64k;
  client_max_body_size 0;
  client_body_buffer_size 1k;
  ignore_invalid_headers off;
  underscores_in_headers on;
  merge_slashes off;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream service {{
    server 127.0.0.1:{service};
    keepalive 1;
    keepalive_requests 100000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_request_buffering {buffering};
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""

_HAPROXY = """
global
  nbthread 1
  tune.bufsize 131072
  tune.http.maxhdr 500
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout queue 30s
  option accept-invalid-http-request
frontend all
  bind 127.0.0.1:{port}
  default_backend service
backend service
  http-reuse always
  option forwardfor
  server one 127.0.0.1:{service} maxconn 1 pool-max-conn 1
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """program: as Debian calls it. configuration: with places for a folder and for the ports of both."""

    program: str
    arguments: tuple[str, ...]  # before the name of its configuration
    configuration: str


KINDS = {
    "nginx": Kind("nginx", ("-c",), _NGINX.replace("{buffering}", "on")),
    "nginx that passes on what it has": Kind("nginx", ("-c",), _NGINX.replace("{buffering}", "off")),
    "HAProxy": Kind("haproxy", ("-db", "-f"), _HAPROXY),
}


@asynccontextmanager
async def proxy_before(service: int, kind: Kind, folder: Path) -> AsyncIterator[int]:
    """The port of a proxy; skips where the machine has none of this kind."""
    path = program(kind.program)
    if path is None:
        pytest.skip(  # a bare machine has no proxy
            f"not shown: that nobody behind {kind.program} gets another's answer; `make servers` installs it"
        )
    port, file = free_port(), folder / "configuration"
    file.write_text(kind.configuration.format(folder=folder, port=port, service=service))
    async with listening([path, *kind.arguments, str(file)], port, folder / "told"):
        yield port
