"""The stores are those of the settings or the private ones; the data directory keeps some files beside them."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.embedded import attach, default_data_dir
from app.randomness import SHORTEST
from app.refused import SetUpError
from app.settings import CHECKOUT, Settings
from app.storage.postgres.database import SERVICE_ROLE

SECRET_KEY, DEMO = "secret_key", "demo.json"  # files of the data directory


@dataclass(frozen=True, slots=True)
class Stores:
    """Addresses, secrets included, which is why none of them is shown.

    direct_url: for what needs a session of its own (LISTEN); the same as database_url where no pooler is between.
    role: what connections of database_url become; None where it is a login of its own.
    """

    database_url: str = field(repr=False)
    direct_url: str = field(repr=False)
    owner_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    role: str | None

    @property
    def pooled(self) -> bool:
        """Whether a pooler lends each transaction another session, so that nothing may be left in one."""
        return self.direct_url != self.database_url


@contextmanager
def open_stores(settings: Settings) -> Iterator[Stores]:
    """The stores of the settings, or the private servers, started if need be and held until the end.

    Raises EmbeddedError when the private servers cannot be used.
    """
    if settings.database_url and settings.redis_url:
        database_url = settings.database_url.get_secret_value()
        owner_url = (
            settings.migration_database_url.get_secret_value()
            if settings.migration_database_url
            else database_url
        )
        direct = settings.direct_database_url
        direct_url = direct.get_secret_value() if direct else database_url
        # Workers know the role at work by its name, and let only a login in. A start refuses one with the owner's rights.
        own_login = owner_url != database_url or settings.distributed is not None
        role = None if own_login else SERVICE_ROLE
        yield Stores(database_url, direct_url, owner_url, settings.redis_url.get_secret_value(), role)
        return
    embedded = attach(data_dir(settings))
    try:
        url = embedded.database_url
        yield Stores(url, url, url, embedded.redis_url, SERVICE_ROLE)
    finally:
        embedded.release()


def data_dir(settings: Settings) -> Path:
    if settings.data_dir is not None:
        return settings.data_dir.absolute()
    return default_data_dir(CHECKOUT if (CHECKOUT / "pyproject.toml").is_file() else None)


def files_of(folder: Path) -> tuple[Path, ...]:
    """What the service keeps in a data directory beside its servers, as far as it is there."""
    return tuple(folder / name for name in (SECRET_KEY, DEMO) if (folder / name).is_file())


def secret_keys(settings: Settings) -> tuple[str, ...]:
    """The keys set; in development, where none need be set, one that is made once into the data directory.

    Raises SetUpError when the file of that one is there and holds none.
    """
    if settings.secret_keys:
        return tuple(key.get_secret_value() for key in settings.secret_keys)
    file = data_dir(settings) / SECRET_KEY
    write_private(file, secrets.token_hex(32))
    try:
        key = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    if len(key) < SHORTEST:
        raise SetUpError(f"{file} holds no key: restore it, or remove it, and a new one is made")
    return (key,)


def write_private(file: Path, text: str, *, replace: bool = False) -> None:
    """Write a file that only its owner reads, whole or not at all. replace: else a file that stands is kept."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as draft_file:
        draft_file.write(text)
    try:
        if replace:
            draft.replace(file)
        else:
            os.link(draft, file)  # refuses an existing name, so of two starters one key stands
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
