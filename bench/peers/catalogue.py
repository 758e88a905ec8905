"""The peers: where the programs of each lie, and how it is asked."""

from dataclasses import replace
from pathlib import Path

from bench.ground.installation import install_node, install_python
from bench.peers.peer import Paths, Peer, Task
from bench.peers.stores import Keys, Table

OIDC_POSTGRES = "oidc-provider, PostgreSQL"
OIDC_REDIS = "oidc-provider, Redis"

_HERE = Path(__file__).parent
_GUNICORN = ("-m", "gunicorn", "--config", f"{_HERE / 'gunicorn.conf.py'}")

_oidc_postgres = Peer(
    name=OIDC_POSTGRES,
    folder=_HERE / "oidc_provider",
    install=install_node,
    seed=("seed.js",),
    serve=("serve.js",),
    paths=Paths(
        ready="/.well-known/openid-configuration",
        token="/token",
        introspect="/token/introspection",
        page="/me",  # userinfo, the page it guards itself
    ),
    store=Table("access_token", "id"),
    variables={
        "ADAPTER": "postgres",
        "CLIENT_IN_MEMORY": "false",
        "OPENID": "true",
        "NODE_ENV": "production",
    },
)
_oidc_redis = replace(
    _oidc_postgres,
    name=OIDC_REDIS,
    store=Keys("oidc:AccessToken:"),
    fsync="everysec",  # as most run Redis: a crash loses the last second
    variables={**_oidc_postgres.variables, "ADAPTER": "redis", "REDIS_PIPELINED": "false"},
)
# At its fastest: one client that is never looked up, no ID token, the commands of a turn in one pipeline, a page that asks
# for a live token and nothing else.
_TRIMMED_PATHS = replace(_oidc_postgres.paths, page="/page")
_TRIMMED = {"CLIENT_IN_MEMORY": "true", "OPENID": "false", "REDIS_PIPELINED": "true"}
_trimmed_postgres = replace(
    _oidc_postgres,
    name="oidc-provider trimmed, PostgreSQL",
    paths=_TRIMMED_PATHS,
    variables={**_oidc_postgres.variables, **_TRIMMED},
)
_trimmed_redis = replace(
    _oidc_redis,
    name="oidc-provider trimmed, Redis",
    paths=_TRIMMED_PATHS,
    variables={**_oidc_redis.variables, **_TRIMMED},
)

_oauth2_server = Peer(
    name="node-oauth oauth2-server, PostgreSQL",
    folder=_HERE / "oauth2_server",
    install=install_node,
    seed=("seed.js",),
    serve=("serve.js",),
    paths=Paths(ready="/alive", token="/token", page="/page"),
    tasks=frozenset({Task.EXCHANGE, Task.GUARD}),  # it has no introspection
    store=Table("oauth_access_token", "access_token"),
    variables={"NODE_ENV": "production"},
)

_django = Peer(
    name="django-oauth-toolkit, plain secret",
    folder=_HERE / "django_oauth_toolkit",
    install=install_python,
    seed=("seed.py",),
    serve=(*_GUNICORN, "django.core.wsgi:get_wsgi_application()"),
    paths=Paths(ready="/alive", token="/o/token/", introspect="/o/introspect/", page="/page"),
    store=Table("oauth2_provider_accesstoken", "token"),
    variables={"DJANGO_SETTINGS_MODULE": "settings", "HASH_CLIENT_SECRET": "false"},
)
_django_hashed = replace(
    _django,
    name="django-oauth-toolkit, hashed secret",
    variables={**_django.variables, "HASH_CLIENT_SECRET": "true"},
)

_authlib = Peer(
    name="Authlib on Flask, SQLAlchemy",
    folder=_HERE / "authlib_flask",
    install=install_python,
    seed=("seed.py",),
    serve=(*_GUNICORN, "server:create_app()"),
    paths=Paths(ready="/alive", token="/token", introspect="/introspect", page="/page"),
    store=Table("oauth2_token", "access_token"),
    variables={"AUTHLIB_INSECURE_TRANSPORT": "true"},  # plain HTTP on loopback, as all here
)

PEERS = (
    _oidc_postgres,
    _oidc_redis,
    _trimmed_postgres,
    _trimmed_redis,
    _oauth2_server,
    _django,
    _django_hashed,
    _authlib,
)
