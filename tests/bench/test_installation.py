"""Software of others: installed once, by its hashes; what is broken fails, and what cannot be had here is told apart."""

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from bench.ground.installation import (
    NODE,
    InstallationError,
    UnavailableError,
    install_go,
    install_jars,
    install_node,
    install_python,
)
from tests.support.server import free_port

TAG = "madeup-{}.dist-info/{}"
FOREIGN, PLAIN = "cp27-none-win32", "py3-none-any"

pytestmark = pytest.mark.timeout(300)  # the first time, Node.js is installed


Lock = Callable[[str], object]


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    """Writes the folder's lock file, in place of what stands there."""
    return (tmp_path / "requirements.txt").write_text


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip knows instead of any index."""
    folder = tmp_path / "links"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def make_wheel(links: Path, version: str, tag: str) -> str:
    """A package that holds nothing; its line in a lock file."""
    path = links / f"madeup-{version}-{tag}.whl"
    with ZipFile(path, "w") as wheel:
        about = f"Metadata-Version: 2.1\nName: madeup\nVersion: {version}\n"
        wheel.writestr(TAG.format(version, "METADATA"), about)
        wheel.writestr(TAG.format(version, "WHEEL"), f"Wheel-Version: 1.0\nTag: {tag}\n")
        wheel.writestr(TAG.format(version, "RECORD"), "")
    return f"madeup=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def refusal(install: Callable[[Path], Path], folder: Path) -> tuple[type[InstallationError], str]:
    """The kind of the refusal, and what it says."""
    with pytest.raises(InstallationError) as raised:
        install(folder)
    return raised.type, str(raised.value)


def test_lock_file_is_installed_once_however_many_ask_and_anew_when_it_changes(
    tmp_path: Path, lock: Lock, links: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lock(make_wheel(links, "1", PLAIN))
    with ThreadPoolExecutor() as asking:
        python, same = asking.map(install_python, [tmp_path] * 2)
    assert python == same
    assert capfd.readouterr().out.count("Installing") == 1
    assert list(python.parents[1].glob("lib/python*/site-packages/madeup-1.dist-info"))
    left = tmp_path / ".venv" / "left"
    left.touch()
    assert install_python(tmp_path) == python
    assert left.exists()
    lock("# another\n")
    install_python(tmp_path)
    assert not left.exists()


def test_package_without_a_hash_is_not_installed(tmp_path: Path, lock: Lock, links: Path) -> None:
    lock(make_wheel(links, "1", PLAIN).partition(" ")[0])
    kind, told = refusal(install_python, tmp_path)
    assert kind is InstallationError
    assert "hash" in told.lower()


def test_package_of_another_hash_is_not_installed(tmp_path: Path, lock: Lock, links: Path) -> None:
    lock(make_wheel(links, "1", PLAIN)[:-9] + "deadbeef\n")
    kind, told = refusal(install_python, tmp_path)
    assert kind is InstallationError
    assert "DO NOT MATCH THE HASHES" in told


def test_version_that_nobody_released_is_a_broken_lock_file(tmp_path: Path, lock: Lock, links: Path) -> None:
    """Other versions, and those of other platforms, excuse nothing."""
    make_wheel(links, "1", FOREIGN)
    lock(make_wheel(links, "2", PLAIN).replace("==2", "==3"))
    kind, told = refusal(install_python, tmp_path)
    assert kind is InstallationError
    assert "madeup==3" in told


def test_package_that_is_made_for_other_platforms_alone_cannot_be_had(
    tmp_path: Path, lock: Lock, links: Path
) -> None:
    lock(make_wheel(links, "1", FOREIGN))
    make_wheel(links, "2", PLAIN)
    kind, told = refusal(install_python, tmp_path)
    assert kind is UnavailableError
    assert "madeup==1" in told


def test_package_cannot_be_had_without_a_network(
    tmp_path: Path, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free_port()}/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    lock(f"madeup==1 --hash=sha256:{'0' * 64}\n")
    assert refusal(install_python, tmp_path)[0] is UnavailableError


@pytest.fixture(scope="module")
def node() -> None:
    """Without it nothing can be asked of npm."""
    try:
        install_python(NODE)
    except UnavailableError as error:
        pytest.skip(f"not shown: how npm's refusals are told apart; Node.js cannot be had here: {error}")


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of a folder, as the lock file has it. os: on which it runs; spoil: of its digest."""

    resolved: str = "file:madeup.tgz"
    os: str = "any"
    spoil: str = ""


def write_npm_lock(folder: Path, locked: Locked | None) -> None:
    """And the package itself; None: a lock file that knows of none."""
    package = {"name": "madeup", "version": "1.0.0", **({} if locked is None else system(locked))}
    text = json.dumps(package).encode()
    with tarfile.open(folder / "madeup.tgz", "w:gz") as archive:
        member = tarfile.TarInfo("package/package.json")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    asked = "1.0.0" if locked and "://" in locked.resolved else "file:madeup.tgz"
    asks = {"name": "folder", "version": "1.0.0", "dependencies": {"madeup": asked}}
    (folder / "package.json").write_text(json.dumps(asks))
    packages: dict[str, Any] = {"": asks if locked else {"name": "folder", "version": "1.0.0"}}
    if locked:
        digest = base64.b64encode(hashlib.sha512((folder / "madeup.tgz").read_bytes()).digest()).decode()
        integrity = f"sha512-{locked.spoil}{digest[len(locked.spoil) :]}"
        entry = {"version": "1.0.0", "resolved": locked.resolved, "integrity": integrity}
        packages["node_modules/madeup"] = {**entry, **system(locked)}
    lock = {"name": "folder", "version": "1.0.0", "lockfileVersion": 3, "requires": True}
    (folder / "package-lock.json").write_text(json.dumps({**lock, "packages": packages}))


def system(locked: Locked) -> dict[str, list[str]]:
    return {} if locked.os == "any" else {"os": [locked.os]}


@pytest.mark.parametrize(
    ("locked", "kind", "told"),
    [
        (Locked(spoil="AAAA"), InstallationError, "EINTEGRITY"),
        (None, InstallationError, "EUSAGE"),
        (Locked(os="another"), UnavailableError, "EBADPLATFORM"),
        (Locked(resolved="http://127.0.0.1:{port}/madeup.tgz"), UnavailableError, "ECONNREFUSED"),
    ],
    ids=["another hash", "not in the lock file", "another platform", "no network"],
)
@pytest.mark.usefixtures("node")
def test_npm_is_understood_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    locked: Locked | None,
    kind: type[InstallationError],
    told: str,
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("npm_config_fetch_retry_mintimeout", "1")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))  # it would know the package by its digest
    if locked:
        locked = replace(locked, resolved=locked.resolved.format(port=free_port()))
    write_npm_lock(tmp_path, locked)
    refused, said = refusal(install_node, tmp_path)
    assert refused is kind
    assert told in said


# Maven as these tests need it: it copies a jar to where it is told, or fails.
MAVEN = """#!/bin/sh
{refusal}
for word; do case "$word" in -DoutputDirectory=*) mkdir -p "${{word#*=}}" && printf jar > "${{word#*=}}/madeup-1.jar";; esac; done
"""
JAR = f"{hashlib.sha256(b'jar').hexdigest()}  madeup-1.jar\n"


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts it into the place of the machine's own. Its argument: how it refuses, if it does."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def put(refusal: str) -> None:
        (tmp_path / "mvn").write_text(MAVEN.format(refusal=refusal))
        (tmp_path / "mvn").chmod(0o755)

    return put


def test_jars_are_installed_that_are_the_locked_ones(tmp_path: Path, maven: Callable[[str], None]) -> None:
    maven("")
    (tmp_path / "jars.sha256").write_text(JAR)
    assert (install_jars(tmp_path) / "madeup-1.jar").read_text() == "jar"


@pytest.mark.parametrize(
    ("refuses", "locked", "expected"),
    [
        ("", JAR.replace(JAR[:4], "0000"), (InstallationError, "not as jars.sha256 has it: madeup-1.jar")),
        ("", JAR + JAR.replace("-1", "-2"), (InstallationError, "not as jars.sha256 has it: madeup-2.jar")),
        ("echo '[ERROR] Unknown host madeup' && exit 1", JAR, (UnavailableError, "Unknown host")),
        ("echo '[ERROR] no such goal' && exit 1", JAR, (InstallationError, "no such goal")),
    ],
    ids=["another hash", "one is missing", "no network", "broken"],
)
def test_maven_is_understood_too(
    tmp_path: Path, maven: Callable[[str], None], refuses: str, locked: str, expected: tuple[type, str]
) -> None:
    maven(refuses)
    (tmp_path / "jars.sha256").write_text(locked)
    refused, said = refusal(install_jars, tmp_path)
    assert refused is expected[0]
    assert expected[1] in said


def test_jars_cannot_be_had_without_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "jars.sha256").write_text(JAR)
    refused, said = refusal(install_jars, tmp_path)
    assert refused is UnavailableError
    assert "no mvn" in said


# Go as these tests need it: it builds a program where it is told, or fails.
GO = """#!/bin/sh
{refusal}
for word; do case "$word" in */bin/) mkdir -p "$word" && printf program > "$word/madeup";; esac; done
"""


@pytest.mark.parametrize(
    ("refuses", "expected"),
    [
        ("", None),
        ("echo 'madeup@v1: Get \"http://x\": dial tcp: lookup x' >&2 && exit 1", UnavailableError),
        ("echo 'go: go.mod requires go >= 9.9 (running go 1.22)' >&2 && exit 1", UnavailableError),
        ("echo 'verifying madeup@v1: checksum mismatch' >&2 && exit 1", InstallationError),
    ],
    ids=["it builds", "no network", "an old Go", "another hash"],
)
def test_go_is_understood_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refuses: str, expected: type[InstallationError] | None
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "go").write_text(GO.format(refusal=refuses))
    (tmp_path / "go").chmod(0o755)
    (tmp_path / "go.sum").write_text("")
    if expected is None:
        assert (install_go(tmp_path) / "madeup").read_text() == "program"
    else:
        assert refusal(install_go, tmp_path)[0] is expected


def test_a_program_of_ours_is_built_anew_when_its_source_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "go").write_text(GO.format(refusal=""))
    (tmp_path / "go").chmod(0o755)
    (tmp_path / "go.sum").write_text("")
    source, program = tmp_path / "main.go", install_go(tmp_path) / "madeup"
    for text in ("one", "other"):
        source.write_text(text)
        program.write_text("an older program")
        assert (install_go(tmp_path) / "madeup").read_text() == "program"
    program.write_text("kept")
    assert (install_go(tmp_path) / "madeup").read_text() == "kept"


def test_programs_cannot_be_built_without_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "go.sum").write_text("")
    refused, said = refusal(install_go, tmp_path)
    assert refused is UnavailableError
    assert "no go" in said
