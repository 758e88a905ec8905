"""`make check-compiled` says what it lacks, and overwrites nothing."""

import subprocess
import sys
from pathlib import Path

from app.interpreter import is_compiled
from hatch_build import COMPILED

ROOT = Path(__file__).parents[2]


def check_compiled(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.compiled", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={"PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )


def test_without_a_compiler_it_names_what_is_missing(tmp_path: Path) -> None:
    done = check_compiled(path=str(tmp_path))
    assert done.returncode == 3
    assert "C compiler" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.touch(mode=0o755)
    (tmp_path / "kept").mkdir()
    done = check_compiled("--into", str(tmp_path / "kept"), path=str(tmp_path))
    assert done.returncode in {2, 3}, done.stderr  # 3 where Python's headers are missing
    assert not list((tmp_path / "kept").iterdir())


def test_each_room_that_is_compiled_is_one_of_ours_and_named_once() -> None:
    assert all((ROOT / each).is_file() for each in COMPILED)
    assert list(COMPILED) == sorted(set(COMPILED))


def test_the_service_knows_whether_its_rooms_are_compiled() -> None:
    """A checkout's are not; those of a compiled copy are, where this test runs too."""
    assert is_compiled() == any((ROOT / "app").rglob("*.so"))
