"""Another authorization server: its programs in a folder of its own, and how it is seeded, served, asked and checked."""

import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from bench.ground.codes import Stores
from bench.ground.serving import free_port, serving
from bench.load.records import form_request, get_request, read_answers, write_requests
from bench.load.rounds import Check, Contender
from bench.peers.stores import Fsync, Store, empty_redis, make_database, redis_variables, set_fsync

_REDIRECT_URI = "https://integrator.example/callback"  # never called
_SEED_S = 300.0


class Task(StrEnum):
    """The kind of request that a server is asked."""

    EXCHANGE = "code exchange"
    INTROSPECT = "introspection"
    GUARD = "bearer-guarded page"


class PeerError(Exception):
    """Why a peer is not measured, or what it did wrong."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of a server. ready: answers 200 as soon as it serves."""

    ready: str
    token: str
    page: str
    introspect: str = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """install: puts its software into the folder, and gives the program that runs the others.

    seed, serve: that program's arguments. Both read DATABASE_URL, REDIS_SOCKET, REDIS_PASSWORD, REDIS_DB, PORT,
    WORKERS, CLIENT_ID, CLIENT_SECRET and `variables` from the environment. seed is given the numbers of codes and
    tokens to make and prints them as JSON, and the token that introspects where a secret does not; the first time it
    makes the schema and the application too.
    tasks: what it is asked. fsync: Valkey's appendfsync while it is measured.
    """

    name: str
    folder: Path
    install: Callable[[Path], Path]
    seed: tuple[str, ...]
    serve: tuple[str, ...]
    paths: Paths
    store: Store
    tasks: frozenset[Task] = frozenset(Task)
    fsync: Fsync = "always"
    variables: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def serving(self, stores: Stores, workers: int, log: Path) -> Iterator["ServingPeer"]:
        """Serve on a new database of the same PostgreSQL until the block ends. workers: processes."""
        program, port = f"{self.install(self.folder)}", free_port()
        database_url = make_database(stores.database_url, self.folder / "schema.sql")
        # Two set-ups of one peer share Valkey's database.
        client = {"client_id": f"bench-{secrets.token_hex(8)}", "client_secret": secrets.token_urlsafe(32)}
        environment = {
            **os.environ,
            **self.variables,
            **redis_variables(stores.redis_url),
            **{name.upper(): value for name, value in client.items()},
            "DATABASE_URL": database_url,
            "PORT": str(port),
            "WORKERS": str(workers),
        }
        url = f"http://127.0.0.1:{port}"
        peer = ServingPeer(self, program, environment, client, url, database_url, stores.redis_url)
        peer.seed(0, 0)
        with serving(
            (program, *self.serve),
            url=url + self.paths.ready,
            log=log,
            folder=self.folder,
            environment=environment,
        ) as process:
            peer.pid = process.pid
            yield peer


@dataclass(slots=True)
class ServingPeer:
    """A peer that answers."""

    peer: Peer
    program: str
    environment: Mapping[str, str]
    client: Mapping[str, str]
    url: str
    database_url: str
    redis_url: str
    pid: int = 0

    def contender(self, task: Task, tokens: int) -> Contender:
        """tokens: how many live ones are asked for in turn."""
        write: Callable[[Path, int], None]
        check: Check | None
        match task:
            case Task.EXCHANGE:
                write, check = self._write_exchanges, self._check_exchanges
            case Task.INTROSPECT:
                write, check = self._writing(self._introspections(self.seed(0, tokens))), check_active
            case Task.GUARD:
                write, check = self._writing(self._pages(self.seed(0, tokens))), None
        return Contender(self.peer.name, self.url, self.pid, write, once=task is Task.EXCHANGE, check=check)

    def seed(self, codes: int, tokens: int) -> dict[str, Any]:
        """Let the server's own models fill its store, and return what they made."""
        try:
            done = subprocess.run(
                [self.program, *self.peer.seed, str(codes), str(tokens)],
                cwd=self.peer.folder,
                env=self.environment,
                capture_output=True,
                check=False,
                timeout=_SEED_S,
            )
        except subprocess.TimeoutExpired as late:
            raise PeerError(f"{self.peer.name} is not seeded after {_SEED_S:.0f} s") from late
        if done.returncode != 0:
            told = done.stderr.decode(errors="replace").strip().splitlines()
            raise PeerError(f"{self.peer.name} cannot be seeded: {told[-1] if told else 'it said nothing'}")
        made: dict[str, Any] = json.loads(done.stdout)
        return made

    def _write_exchanges(self, path: Path, count: int) -> None:
        """Write so many fresh codes, and the requests that exchange them."""
        set_fsync(self.redis_url, self.peer.fsync)
        empty_redis(self.redis_url)
        asked = {**self.client, "grant_type": "authorization_code", "redirect_uri": _REDIRECT_URI}
        codes = self.seed(count, 0)["codes"]
        write_requests(path, (form_request(self.peer.paths.token, {**asked, "code": code}) for code in codes))

    def _writing(self, requests: Sequence[bytes]) -> Callable[[Path, int], None]:
        def write(path: Path, _count: int) -> None:
            set_fsync(self.redis_url, self.peer.fsync)
            write_requests(path, requests)

        return write

    def _introspections(self, made: Mapping[str, Any]) -> list[bytes]:
        path, introspector = self.peer.paths.introspect, made.get("introspector")
        if introspector is not None:
            return [form_request(path, {"token": token}, bearer=introspector) for token in made["tokens"]]
        return [form_request(path, {**self.client, "token": token}) for token in made["tokens"]]

    def _pages(self, made: Mapping[str, Any]) -> list[bytes]:
        return [get_request(self.peer.paths.page, bearer=token) for token in made["tokens"]]

    def _check_exchanges(self, _requests: Path, answers: Path) -> None:
        """Every token answered is another one, and stands in the store."""
        answered = [orjson.loads(answer.body)["access_token"] for answer in read_answers(answers)]
        tokens = set(answered)
        if len(tokens) < len(answered):
            raise PeerError(f"{self.peer.name} answered {len(answered)} codes with {len(tokens)} tokens")
        stored = self.peer.store.count(self.database_url, self.redis_url, answered)
        if stored < len(answered):
            raise PeerError(f"{self.peer.name} stored {stored} of {len(answered)} tokens it answered")


def check_active(_requests: Path, answers: Path) -> None:
    if not all(orjson.loads(answer.body)["active"] for answer in read_answers(answers)):
        raise PeerError("a live token was called inactive")
