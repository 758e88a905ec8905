"""The Dockerfile as data, and its steps replayed in an empty folder, where there is no engine to build it with."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]

_MOUNT = re.compile(r"^--mount=\S+\s+")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its continuation lines joined."""

    word: str
    text: str

    @property
    def arguments(self) -> list[str]:
        """The exec form, or the words."""
        command = self.text[self.text.index("[") :] if "[" in self.text else None
        return json.loads(command) if command else self.text.split()


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage reaches from one FROM to the next."""

    base: str
    name: str
    instructions: tuple[Instruction, ...]

    def all(self, word: str) -> list[Instruction]:
        return [instruction for instruction in self.instructions if instruction.word == word]

    def one(self, word: str) -> Instruction:
        """The only instruction of this word. Raises ValueError when there is none, or another."""
        (found,) = self.all(word)
        return found

    @property
    def environment(self) -> dict[str, str]:
        """The variables that ENV sets; of two of one name the later counts."""
        return dict(pair.split("=", 1) for instruction in self.all("ENV") for pair in instruction.arguments)


def read_stages(file: Path = CHECKOUT / "Dockerfile") -> list[Stage]:
    stages: list[Stage] = []
    for instruction in _instructions(file.read_text()):
        if instruction.word == "FROM":
            base, _, name = instruction.text.partition(" AS ")
            stages.append(Stage(base, name, ()))
        else:
            last = stages.pop()
            stages.append(Stage(last.base, last.name, (*last.instructions, instruction)))
    return stages


def build_context(folder: Path) -> Path:
    """The files that the engine would be sent: those .dockerignore lets through, but for files git ignores."""
    rules = (CHECKOUT / ".dockerignore").read_text().splitlines()
    assert "*" in rules, ".dockerignore names what may be sent, not what may not"
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *allowed]
    names = subprocess.run(listing, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    for file in filter(Path.is_file, (CHECKOUT / name for name in names.split("\0"))):
        target = folder / file.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return folder


def replay(stage: Stage, context: Path, root: Path, **build_arguments: str) -> None:
    """Run a stage's steps with `root` for its file system; its python is the one of this run.

    build_arguments: instead of what ARG says. Mounts of a RUN are left out.
    It fails at an instruction that it does not know, and where a command does not end with 0.
    """
    folder, known = root, dict[str, str]()
    for instruction in stage.instructions:
        if instruction.word == "WORKDIR":
            folder = root / instruction.text.lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
        elif instruction.word == "COPY":
            *sources, target = instruction.arguments
            for source in sources:
                _copy(context / source, folder / target, into=target.endswith("/"))
        elif instruction.word == "ARG":
            name, _, default = instruction.text.partition("=")
            known[name] = build_arguments.get(name, default)
        elif instruction.word == "RUN":
            _run(instruction.text, folder, root, known)
        else:
            raise AssertionError(f"the replay does not know {instruction.word}")


def _instructions(text: str) -> Iterator[Instruction]:
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    joined = "\n".join(lines).replace("\\\n", " ")
    for line in joined.splitlines():
        word, _, rest = line.partition(" ")
        yield Instruction(word, " ".join(rest.split()))


def _copy(source: Path, target: Path, *, into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target / source.name if into else target)


def _run(command: str, folder: Path, root: Path, known: Mapping[str, str]) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["/bin/sh", "-euc", _MOUNT.sub("", command).replace("/opt/", f"{root}/opt/")],
        cwd=folder,
        env={**os.environ, **known, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"RUN {command}\n{done.stdout}{done.stderr}"
