"""The folders of a data directory's private servers, and the record that ties them to it."""

import hashlib
import json
import os
import re
import secrets
import stat
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from app.embedded.accounts import Account, choose_account
from app.embedded.errors import EmbeddedError

STATE_ROOT = Path("/var/lib/rovitracker")

_OWNER_ONLY = 0o700
_SERVER_ID = re.compile(r"[0-9a-f]{12}")

# sun_path holds 104 bytes on BSD and macOS (108 on Linux), the last of them a NUL.
_LONGEST_RUN_FOLDER = 103 - len("/.s.PGSQL.5432")


def default_data_dir(checkout: Path | None) -> Path:
    """The data directory when none is set: beside the code in a checkout, else in the user's data folder."""
    if checkout is None:
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "rovitracker"
    return data_dir_of(checkout.resolve(), os.geteuid())


def data_dir_of(checkout: Path, uid: int) -> Path:
    """Beside the code, or for root under STATE_ROOT, since its servers' own user may not reach the checkout."""
    if uid != 0:
        return checkout / ".data"
    return STATE_ROOT / f"{checkout.name}-{hashlib.sha256(os.fsencode(checkout)).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Folders:
    """The paths inside one data directory. All is in `private`, which only its owner may enter."""

    data_dir: Path

    @property
    def private(self) -> Path:
        return self.data_dir / "embedded"

    @property
    def record(self) -> Path:
        return self.private / "record.json"

    @property
    def run_link(self) -> Path:
        """A link to the folder of the sockets, whose path must be short where the data directory's need not."""
        return self.private / "run"

    @property
    def holders_lock(self) -> Path:
        """Shared by whoever uses the servers; the keeper may stop them when it gets it exclusively."""
        return self.private / "holders.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held exclusively by the one process that runs the servers."""
        return self.private / "keeper.lock"

    def log(self, name: str) -> Path:
        return self.private / f"{name}.log"

    def open(self) -> None:
        """Create what is missing. Raises EmbeddedError when the private folder is another user's, or open to others."""
        if self.data_dir.is_relative_to(STATE_ROOT) and os.geteuid() == 0:
            open_state_root()
        self.data_dir.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            self.private.mkdir(mode=_OWNER_ONLY)
        if not is_private(self.private, os.geteuid()):
            raise EmbeddedError(
                f"{self.private} must be a folder of user {os.geteuid()} with mode 0700: "
                "run as the user who created it, or choose another ROVITRACKER_DATA_DIR"
            )


@dataclass(frozen=True, slots=True)
class Record:
    """The servers that belong to a data directory, and the passwords only its owner may read."""

    server_id: str
    account: Account | None  # None: the servers run as the data directory's owner
    postgres_password: str = field(repr=False)
    database_password: str = field(repr=False)
    valkey_password: str = field(repr=False)
    complete: bool = False  # whether the home was ever finished: from then on a missing home is a loss

    @classmethod
    def new(cls) -> Self:
        server_id = secrets.token_hex(6)
        return cls(
            server_id=server_id,
            account=choose_account(server_id),
            postgres_password=secrets.token_hex(20),
            database_password=secrets.token_hex(20),
            valkey_password=secrets.token_hex(20),
        )

    @classmethod
    def load(cls, folders: Folders) -> Self | None:
        """The record, if there is one. Raises EmbeddedError when it is damaged."""
        try:
            values = json.loads(folders.record.read_bytes())
            account = values.pop("account")
            record = cls(**values, account=None if account is None else Account(**account))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _damaged(folders) from None
        if not _SERVER_ID.fullmatch(str(record.server_id)):  # it becomes the name of a folder
            raise _damaged(folders)
        return record

    def save(self, folders: Folders) -> None:
        """Replace the record as a whole: losing a password would lock everyone out of the data."""
        staged = folders.record.with_suffix(".new")
        staged.unlink(missing_ok=True)
        with open(staged, "x", encoding="utf-8", opener=_open_owner_only) as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        staged.rename(folders.record)
        sync_folder(folders.private)

    def home(self, folders: Folders) -> Path:
        """The servers' own files. Another account cannot reach a data directory in, say, /root."""
        return folders.private / "servers" if self.account is None else STATE_ROOT / self.server_id


def _damaged(folders: Folders) -> EmbeddedError:
    return EmbeddedError(f"{folders.record} is damaged: restore it from a backup")


def open_state_root() -> None:
    """Create the parent of root's server homes: others pass through it to nothing they may enter.

    Raises EmbeddedError when it is there, and is not root's with mode 0711.
    """
    try:
        STATE_ROOT.mkdir(parents=True)
        STATE_ROOT.chmod(0o711)
    except FileExistsError:
        found = STATE_ROOT.lstat()
        mode_ok = found.st_mode & 0o001 and not found.st_mode & 0o022
        if not (stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and mode_ok):
            raise EmbeddedError(f"{STATE_ROOT} must be a folder of root with mode 0711: chmod it") from None


def run_folder(folders: Folders, record: Record) -> Path | None:
    """The folder of the sockets, if it is there and its owner alone may enter.

    Another user could have made one of the same name in the temp folder, to be sent our passwords.
    """
    run = _linked_run_folder(folders, record)
    owner = os.geteuid() if record.account is None else record.account.uid
    return run if run is not None and is_private(run, owner) else None


def settle_run_folder(folders: Folders, record: Record) -> Path:
    """Find or make the folder of the sockets, and note it in the data directory.

    Raises EmbeddedError when no temp folder has a path that is short enough.
    """
    if (run := run_folder(folders, record)) is not None:
        return run
    make = _make_run_folder if record.account is None else _open_home_run_folder
    run = make(folders, record)
    staged = folders.run_link.with_suffix(".new")
    staged.unlink(missing_ok=True)
    staged.symlink_to(run)
    staged.rename(folders.run_link)
    return run


def is_private(folder: Path, owner: int) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == owner and stat.S_IMODE(found.st_mode) == _OWNER_ONLY
    )


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder outlive a power cut."""
    folder_fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)


def _linked_run_folder(folders: Folders, record: Record) -> Path | None:
    """The folder linked to, there or not; None for a copy's link, which leads to the sockets of another's servers."""
    try:
        run = folders.run_link.readlink()
    except FileNotFoundError:
        return None
    ours = record.account is not None or run.name.startswith(_run_prefix(folders))
    return run if ours else None


def _run_prefix(folders: Folders) -> str:
    """The prefix names the folder's device and inode, which a copy never shares and a moved folder keeps."""
    private = folders.private.stat()
    return f"rovitracker-{private.st_dev:x}-{private.st_ino:x}-"


def _open_home_run_folder(folders: Folders, record: Record) -> Path:
    run = record.home(folders) / "run"
    run.mkdir(mode=_OWNER_ONLY, exist_ok=True)
    if record.account is not None:
        os.chown(run, record.account.uid, record.account.gid, follow_symlinks=False)
    return run


def _make_run_folder(folders: Folders, record: Record) -> Path:
    # A reboot or a cleaner empties the temp folder: the same path again where possible, since holders know it.
    if (run := _linked_run_folder(folders, record)) is not None:
        with suppress(FileNotFoundError, FileExistsError):  # no parent; or there, and not ours alone
            run.mkdir(mode=_OWNER_ONLY)
            return run
    # Not XDG_RUNTIME_DIR: that is deleted at logout, under a service left running.
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp makes it ours, mode 0700
        run = Path(tempfile.mkdtemp(prefix=_run_prefix(folders), dir=parent))
        if len(os.fsencode(run)) <= _LONGEST_RUN_FOLDER:
            return run
        run.rmdir()
    raise EmbeddedError("no temp folder has a path short enough for a socket: set TMPDIR to a short one")


def _open_owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
