"""Hatch's hook for a compiled wheel: mypyc turns the rooms that every request passes through into machine code.

A wheel is pure Python unless this is asked for, with HATCH_BUILD_HOOK_ENABLE_CUSTOM=true. It then takes a C compiler,
Python's headers and what requirements-compile.txt pins. The sources are in the wheel too: tracebacks quote them.
"""

import os
import shutil
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What an introspection, a redemption and a remembered page of a fleet pass through. Some files of that way are missing:
# mypyc takes no asynchronous generator, FastAPI reads the signatures of endpoints, and workers get frozen values by pickle.
COMPILED = (
    "app/bounded.py",
    "app/door/connection.py",
    "app/door/framing.py",
    "app/door/patience.py",
    "app/door/protocol.py",
    "app/flows/fleet/count_reads.py",
    "app/flows/fleet/pin_page_map.py",
    "app/flows/fleet/recall_page.py",
    "app/flows/token/authenticate.py",
    "app/flows/token/check_token.py",
    "app/flows/token/client_credentials.py",
    "app/flows/token/introspect_token.py",
    "app/flows/token/issue_token.py",
    "app/flows/token/issued_token.py",
    "app/logs.py",
    "app/oauth/answer.py",
    "app/oauth/base62.py",
    "app/oauth/client.py",
    "app/oauth/lifetimes.py",
    "app/oauth/scope.py",
    "app/oauth/token_string.py",
    "app/policy.py",
    "app/process/credential_uses.py",
    "app/process/pages.py",
    "app/process/read_before.py",
    "app/process/reads.py",
    "app/process/recent.py",
    "app/storage/postgres/changes.py",
    "app/storage/postgres/connections.py",
    "app/storage/postgres/gather.py",
    "app/storage/postgres/remembered.py",
    "app/storage/token/client_tokens.py",
    "app/storage/token/gathered.py",
    "app/storage/token/tokens.py",
    "app/throttling/look_up.py",
    "app/web/api/documents.py",
    "app/web/api/entity_tag.py",
    "app/web/api/fleet_page.py",
    "app/web/api/negotiated.py",
    "app/web/api/rate_limit.py",
    "app/web/api/wanted.py",
    "app/web/front/access_log.py",
    "app/web/front/hot.py",
    "app/web/front/service.py",
    "app/web/request.py",
    "app/web/wire.py",
    "app/weighted.py",
)
# mypy judges the sources by itself, as strictly as pyproject.toml says. Here it only reads their types.
_OPTIONS = ("--config-file=", "--ignore-missing-imports", "--follow-imports=silent", "--cache-dir=/dev/null")


class CompiledWheel(BuildHookInterface):  # type: ignore[type-arg]  # of no configuration
    """Puts the compiled modules beside their sources, where Python prefers them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raises SystemExit with what is missing, before anything is built."""
        if version == "editable":
            return
        refuse_unfit()
        self._folder = Path(tempfile.mkdtemp(prefix="rovitracker-compiled-"))
        with _working_in(Path(self.root)):
            modules = compile_into(self._folder)
        build_data["force_include"].update({str(self._folder / each): str(each) for each in modules})
        build_data["pure_python"], build_data["infer_tag"] = False, True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  # as Hatch calls it
        if hasattr(self, "_folder"):
            shutil.rmtree(self._folder)


def refuse_unfit() -> None:
    """Raises SystemExit where there is no C compiler, or where Python's headers are missing."""
    if missing := missing_for_compilation():
        raise SystemExit(
            f"a compiled wheel takes {missing}; without HATCH_BUILD_HOOK_ENABLE_CUSTOM it is pure Python"
        )


def missing_for_compilation() -> str:
    """What is not here, as a person would install it; empty where all is."""
    if shutil.which("cc") is None:
        return "a C compiler (Debian: apt install gcc libc6-dev)"
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        return "Python's headers (Debian: apt install python3-dev)"
    return ""


def compile_into(folder: Path, modules: Sequence[str] = COMPILED) -> list[Path]:
    """Compile modules of the checkout that is the current directory. What comes of them, relative to the folder."""
    from mypyc.build import mypycify  # noqa: PLC0415  # whoever builds a pure wheel has none of these
    from setuptools import Distribution  # type: ignore[import-untyped]  # noqa: PLC0415

    extensions = mypycify([*_OPTIONS, *modules], opt_level="3", target_dir=str(folder / "c"))
    distribution = Distribution({"name": "rovitracker-compiled", "ext_modules": extensions})
    command: Any = distribution.get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(folder), str(folder / "objects")
    command.parallel = os.cpu_count()
    command.ensure_finalized()
    command.run()
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    return [file.relative_to(folder) for file in sorted(folder.rglob(f"*{suffix}"))]


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    """Modules get their names from their paths below the current directory."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
