"""`make check-compiled` says what it lacks, and overwrites nothing."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from app.interpreter import is_compiled
from bench.compare.checkout import copied
from hatch_build import COMPILED, missing_for_compilation

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


@pytest.mark.timeout(300)
def test_a_compiled_room_does_what_its_source_does(tmp_path: Path) -> None:
    """A short form of `make check-compiled`: one module, and its own tests."""
    if missing := missing_for_compilation():
        pytest.skip(f"not shown: that a room can be compiled; that takes {missing}")
    tree = copied(ROOT, tmp_path / "copy")
    for compiled in tree.rglob("*.so"):  # where this is a compiled copy itself
        compiled.unlink()
    run = partial(subprocess.run, cwd=tree, capture_output=True, text=True, check=False)
    code = (
        "from pathlib import Path; import hatch_build as h; h.compile_into(Path(), ['app/oauth/base62.py'])"
    )
    built = run([sys.executable, "-c", code])
    assert built.returncode == 0, built.stdout + built.stderr
    where = run([sys.executable, "-c", "from app.oauth import base62; print(base62.__file__)"])
    assert where.stdout.strip().endswith(".so"), where
    tests = ["tests/oauth/test_base62.py", "tests/oauth/test_token_string.py"]
    done = run([sys.executable, "-m", "pytest", "-q", "--basetemp", str(tmp_path / "tests"), *tests])
    assert done.returncode == 0, done.stdout


def test_each_room_that_is_compiled_is_one_of_ours_and_named_once() -> None:
    assert all((ROOT / each).is_file() for each in COMPILED)
    assert list(COMPILED) == sorted(set(COMPILED))


def test_the_service_knows_whether_its_rooms_are_compiled() -> None:
    """A checkout's are not; those of a compiled copy are, where this test runs too."""
    assert is_compiled() == any((ROOT / "app").rglob("*.so"))
