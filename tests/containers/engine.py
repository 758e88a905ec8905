"""The engine that runs containers, asked through Docker's command line."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import yaml

from tests.support.composition import BASE
from tests.support.dockerfile import read_stages

RUN = os.environ.get("CHECK_CONTAINERS", "")  # `make check-containers` sets it: how all names of a run begin

_OLDEST_COMPOSE = (2, 24)
_PULL_S = 300


class EngineError(Exception):
    """What the engine said when it could not do its work."""


def docker(*words: str, given: str = "", patience_s: float = 60) -> str:
    """What it prints. Raises EngineError when it fails, or takes longer than its patience."""
    try:
        done = subprocess.run(
            ["docker", *words], input=given, capture_output=True, text=True, timeout=patience_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(str(error)) from error
    if done.returncode:
        raise EngineError(f"docker {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def lacking() -> str | None:
    """What is not here and must be, before any image can be built."""
    if shutil.which("docker") is None:
        return "no container engine here: there is no docker command"
    try:
        docker("version", "--format", "{{.Server.Version}}")
    except EngineError as error:
        return f"no container engine here: {_last_words(error)}"
    return _lacking_compose() or lacking_image({*images(BASE), *(stage.base for stage in read_stages())})


def lacking_image(images: Iterable[str]) -> str | None:
    """Name the first of them that is not here and cannot be pulled."""
    return next(filter(None, map(_lacking, sorted(images))), None)


def images(file: Path) -> set[str]:
    """Those of others, that a compose file names."""
    services = yaml.safe_load(file.read_text())["services"].values()
    return {service["image"] for service in services if "image" in service and "build" not in service}


def sweep(name: str) -> None:
    """Remove every container, volume, network and image with this in its name."""
    _remove("container", "--force", "--volumes", name=name)
    _remove("network", name=name)
    _remove("volume", "--force", name=name)
    tags = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{name}*").split()
    if tags:
        docker("image", "rm", "--force", *tags)


def _remove(kind: str, *options: str, name: str) -> None:
    everything = ("--all",) if kind == "container" else ()
    found = docker(kind, "ls", "--quiet", *everything, "--filter", f"name={name}").split()
    if found:
        docker(kind, "rm", *options, *found)


def _lacking_compose() -> str | None:
    try:
        version = docker("compose", "version", "--short")
    except EngineError as error:
        return f"`docker compose` is not here: {_last_words(error)}"
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if found is None or tuple(map(int, found.groups())) < _OLDEST_COMPOSE:
        return f"Compose 2.24 or newer is needed, and this is {version.strip()}"
    return None


def _lacking(image: str) -> str | None:
    try:
        docker("image", "inspect", image)
    except EngineError:
        try:
            docker("pull", "--quiet", image, patience_s=_PULL_S)
        except EngineError as error:
            return f"{image} is not here and cannot be pulled: {_last_words(error)}"
    return None


def _last_words(error: EngineError) -> str:
    return str(error).strip().rpartition("\n")[2]
