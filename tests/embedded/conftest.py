"""Data directories with private servers of their own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.embedded import Embedded, attach
from app.embedded.removal import remove
from tests.embedded.ordinary import Ordinary, ordinary_user
from tests.embedded.probes import wait_until_all_stopped


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Deeper than the path of a socket may be long."""
    path = tmp_path_factory.mktemp("held") / ("deep" * 30) / ("deeper" * 30)
    yield path
    remove(path)


@pytest.fixture(scope="session")
def servers(data_dir: Path) -> Iterator[Embedded]:
    """They are held from the first test that wants them until the run ends."""
    with attach(data_dir) as held:
        yield held


@pytest.fixture(scope="session")
def made_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("made") / "data"
    attach(path).release()
    yield path
    remove(path)


@pytest.fixture
def stopped_dir(made_dir: Path) -> Path:
    """A data directory whose servers were made, and do not run."""
    wait_until_all_stopped(made_dir)
    return made_dir


@pytest.fixture
def new_dir(tmp_path: Path) -> Iterator[Path]:
    """A folder that is not there yet. What a test makes of it is removed."""
    yield tmp_path / "data"
    remove(tmp_path / "data")


@pytest.fixture
def ordinary() -> Iterator[Ordinary]:
    with tempfile.TemporaryDirectory() as parent:  # pytest's own folders are closed to other users
        Path(parent).chmod(0o711)
        folder = Path(parent) / "theirs"
        folder.mkdir(mode=0o700)
        yield ordinary_user(folder)
