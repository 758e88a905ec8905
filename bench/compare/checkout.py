"""A revision's files in a folder of their own, and its program run from them and from nowhere else."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

# An installed package of the same name must not run in its place.
_PROGRAM = """
import os, sys, app
own = os.environ["PYTHONPATH"]
if os.path.dirname(os.path.dirname(os.path.realpath(app.__file__))) != os.path.realpath(own):
    sys.exit(f"{app.__file__} is not of {own}")
from app.cli.main import run
run()
"""
_FEED = (ROOT / "bench" / "compare" / "feed.py").read_text()


class CheckoutError(Exception):
    """A revision cannot be measured."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit. name: as it was called, with what it stands for."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """python: what runs it."""

    name: str
    folder: Path
    python: Path

    @property
    def program(self) -> list[str]:
        return [f"{self.python}", "-P", "-c", _PROGRAM]

    def run(self, *arguments: str, environment: Mapping[str, str], told: str = "") -> str:
        """Run one of its verbs; what it prints. told: on stdin. Raises CheckoutError when it fails."""
        return self._run([*self.program, *arguments], environment, told.encode())

    def feed(self, document: bytes, environment: Mapping[str, str]) -> None:
        """Let it write codes in its own format. Raises CheckoutError when it cannot."""
        self._run([f"{self.python}", "-P", "-c", _FEED], environment, document)

    def at_home(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Put its modules first, and let dictionaries hash alike in all processes."""
        return {**environment, "PYTHONPATH": f"{self.folder}", "PYTHONHASHSEED": "0"}

    def _run(self, command: list[str], environment: Mapping[str, str], told: bytes) -> str:
        own = self.at_home(environment)
        # Not in its folder, where a `.env` would count for one of the two.
        done = subprocess.run(command, cwd="/", env=own, input=told, capture_output=True, check=False)
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).decode().strip().splitlines() or ["it said nothing"]
            raise CheckoutError(f"{self.name}: {lines[-1]}")
        return done.stdout.decode()


def find_revision(root: Path, name: str) -> Revision:
    """Look it up. Raises CheckoutError when there is no such commit."""
    try:
        digest = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except CheckoutError:
        raise CheckoutError(f"{name!r} is no revision of the repository in {root}") from None
    return Revision(f"{name} ({digest[:9]})", digest)


def describe_tree(root: Path) -> str:
    """Name the commit it was made from, and say whether it was changed since."""
    changed = "changed since" if _git(root, "status", "--porcelain") else "unchanged"
    return f"working tree ({_git(root, 'rev-parse', '--short=9', 'HEAD')}, {changed})"


def copied(root: Path, folder: Path) -> Path:
    """Copy all that git does not ignore, so that whoever edits meanwhile changes no round."""
    for name in _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        source, target = root / name, folder / name
        if source.is_file():  # git lists what was deleted, too
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder.resolve()


@contextmanager
def checked_out(root: Path, revision: Revision, folder: Path) -> Iterator[Path]:
    """Put a worktree into the folder, and remove it at the end. Raises CheckoutError when git does not."""
    _git(root, "worktree", "add", "--quiet", "--detach", f"{folder}", revision.digest)
    try:
        yield folder.resolve()
    finally:
        _git(root, "worktree", "remove", "--force", f"{folder}")


def _git(root: Path, *arguments: str) -> str:
    """Run git; what it prints. Raises CheckoutError when it fails, or is not there."""
    command = ["git", "-C", f"{root}", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CheckoutError(f"git: {error}") from error
    if done.returncode != 0:
        raise CheckoutError(f"git {arguments[0]}: {done.stderr.strip() or 'failed'}")
    return done.stdout.strip()
