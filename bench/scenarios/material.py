"""The folder that is prepared for locust before it starts, and that locust leaves its results in."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import orjson

_PAGE = 100  # machines


@dataclass(frozen=True, slots=True)
class Folder:
    """Names of the files. consented: codes from consent pages, put down as they are exchanged; families: first tokens."""

    path: Path

    @property
    def accounts(self) -> Path:
        return self.path / "accounts.json"

    @property
    def callers(self) -> Path:
        return self.path / "callers.json"

    @property
    def codes(self) -> Path:
        return self.path / "codes"

    @property
    def consented(self) -> Path:
        return self.path / "consented"

    @property
    def client_tokens(self) -> Path:
        return self.path / "client_tokens"

    @property
    def families(self) -> Path:
        return self.path / "families"

    @property
    def figures(self) -> Path:
        return self.path / "figures.json"


def answers_of(requests: Path) -> Path:
    return requests.with_name(f"{requests.name}.answers")


@dataclass(slots=True)
class Account:
    """A customer and an application, and the newest token of the two, which their users share."""

    email: str
    password: str
    client_id: str
    client_secret: str
    redirect_uri: str
    machines: int | None = None  # None: whatever there is
    access_token: str = ""

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self.client_secret}

    @property
    def pages(self) -> int:
        return -(-(self.machines or 1) // _PAGE)

    def machines_on(self, page: int) -> int | None:
        return self.machines and min(_PAGE, self.machines - (page - 1) * _PAGE)


@dataclass(frozen=True, slots=True)
class Caller:
    """An application with live tokens. fleet_tokens: its own ones, for a customer that has one machine."""

    client_id: str
    client_secret: str
    tokens: Sequence[str]
    fleet_tokens: Sequence[str]

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self.client_secret}


@dataclass(frozen=True, slots=True)
class Family:
    """A refresh token that nobody used yet, and whose it is."""

    client_id: str
    client_secret: str
    refresh_token: str

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self.client_secret}


def read_families(file: Path) -> list[Family]:
    return [Family(**entry) for entry in orjson.loads(file.read_bytes())]


def write_families(file: Path, families: Sequence[Family]) -> None:
    file.write_bytes(orjson.dumps([asdict(family) for family in families]))


def read_accounts(file: Path, *, callback: str) -> list[Account]:
    """callback: redirect URI of an account that names none, as in the demo.json of a demo run."""
    document = orjson.loads(file.read_bytes())
    known = {field.name for field in fields(Account)}
    return [
        Account(**{"redirect_uri": callback, **{k: v for k, v in entry.items() if k in known}})
        for entry in (document if isinstance(document, list) else [document])
    ]


def read_callers(file: Path) -> list[Caller]:
    return [Caller(**entry) for entry in orjson.loads(file.read_bytes())]


def write_callers(file: Path, callers: Sequence[Caller]) -> None:
    file.write_bytes(orjson.dumps([asdict(caller) for caller in callers]))
