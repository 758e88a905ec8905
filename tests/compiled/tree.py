"""Make a compiled copy of the working tree."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

from bench.compare.checkout import ROOT, copied

_BUILD_S = 600


class CompilationError(Exception):
    """The wheel could not be built."""


def compiled_copy(folder: Path) -> Path:
    """A clone with what is not committed too, the packages of this set-up, and the compiled modules beside their sources.

    They come from a wheel, built as the image's is. Raises CompilationError with what pip said.
    """
    _run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)], ROOT)
    copied(ROOT, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    with tempfile.TemporaryDirectory(prefix="rovitracker-wheel-") as wheels:
        build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, "."]
        _run([sys.executable, "-m", "pip", "--disable-pip-version-check", *build], folder)
        [wheel] = Path(wheels).glob("*.whl")
        with ZipFile(wheel) as archive:
            archive.extractall(folder, [name for name in archive.namelist() if name.endswith(".so")])
    return folder


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "HATCH_BUILD_HOOK_ENABLE_CUSTOM": "true"},
        capture_output=True,
        text=True,
        timeout=_BUILD_S,
        check=False,
    )
    if done.returncode:
        raise CompilationError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
