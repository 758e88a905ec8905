"""A fault planted into a copy of the source, and the tests that cite what it breaks run there."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.citations import ROOT, Citation

FAULTS = Path(__file__).with_name("faults.txt")

_COPIED = ("app", "docs", "sql", "tests", "pyproject.toml", "README.md")
_APART = ("tests/pages/", "tests/examples/")
_LONGEST_S = 300
_FAILED, _GREEN = 1, 0


class FaultError(Exception):
    """A fault that cannot be planted, or that nobody could notice."""


@dataclass(frozen=True, slots=True)
class Fault:
    """items: what it breaks. text stands exactly once in the file, and replacement is put in its place.

    folder: whose tests must notice it, where not just any may.
    """

    name: str
    items: tuple[int, ...]
    file: str
    text: str
    replacement: str
    folder: str = "tests/"


@dataclass(frozen=True, slots=True)
class Outcome:
    """red: the test that noticed it; empty when none did, and `trouble` says why no test was asked at all."""

    fault: Fault
    red: str
    trouble: str
    seconds: float


def read_faults(file: Path = FAULTS) -> list[Fault]:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    return [_read(part.splitlines()) for part in re.split(r"\n{2,}", "\n".join(lines).strip())]


def _read(lines: Sequence[str]) -> Fault:
    name, where, file = lines[0].split(" | ")
    items, _, folder = where.partition(" in ")
    text, replacement = (
        "\n".join(line[2:] for line in lines[1:] if line.startswith(mark)) for mark in ("- ", "+ ")
    )
    numbers = tuple(int(item) for item in items.split())
    return Fault(name, numbers, file, text, replacement, folder or "tests/")


def break_source(fault: Fault, root: Path = ROOT) -> str:
    """The file's text with the fault in it."""
    source = (root / fault.file).read_text()
    if source.count(fault.text) != 1:
        raise FaultError(f"{fault.name}: its text stands {source.count(fault.text)} times in {fault.file}")
    return source.replace(fault.text, fault.replacement)


def witnesses_of(fault: Fault, citations: Sequence[Citation]) -> list[str]:
    """The tests that show an item of it on the wire, without a browser or others' libraries; quicker ones first."""
    found = {
        each.node_id
        for each in citations
        if each.number in fault.items
        and each.on_the_wire
        and each.file.startswith(fault.folder)
        and not each.file.startswith(_APART)
    }
    if not found:
        raise FaultError(f"{fault.name}: no test in {fault.folder} cites {fault.items}")
    return sorted(found, key=lambda node_id: (not node_id.startswith("tests/web/"), node_id))


def judge(fault: Fault, citations: Sequence[Citation]) -> Outcome:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rovitracker-fault-") as folder:
        root = Path(folder)
        for part in _COPIED:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            copy(ROOT / part, root / part)
        (root / fault.file).write_text(break_source(fault, root))
        red, trouble = _run(witnesses_of(fault, citations), root)
    return Outcome(fault, red, trouble, time.monotonic() - began)


def _run(node_ids: Sequence[str], root: Path) -> tuple[str, str]:
    """The first test that failed, and what went wrong otherwise."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *node_ids]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"the tests took more than {_LONGEST_S} s"
    failed = next(_after(done.stdout, "FAILED "), "")
    if done.returncode == _GREEN or (done.returncode == _FAILED and failed):
        return failed, ""
    return "", next(_after(done.stdout, "ERROR "), done.stderr.strip() or done.stdout.strip()[-200:])


def _after(text: str, start: str) -> Iterator[str]:
    return (line.removeprefix(start) for line in text.splitlines() if line.startswith(start))
