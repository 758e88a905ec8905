"""`rovitracker data remove`: the data directory goes with its servers' folders, and with nothing else."""

import json
from pathlib import Path

import pytest

from app.embedded import attach
from app.embedded.errors import EmbeddedError
from app.embedded.folders import Folders, Record
from tests.cli.conftest import Rovitracker
from tests.support.verbs import Verbs


def home_of(data_dir: Path) -> Path:
    folders = Folders(data_dir)
    record = Record.load(folders)
    assert record is not None
    return record.home(folders)


def test_a_data_directory_goes_with_its_server_folders_and_foreign_files_stay(
    verbs: Verbs, tmp_path: Path
) -> None:
    with attach(tmp_path / "data") as held:
        rovitracker, folder = Rovitracker(held, verbs), held.data_dir
        home = home_of(folder)
        (folder / "demo.json").write_text("{}")
        (folder / "notes.txt").write_text("mine")
        assert "is there to ask: add --yes" in rovitracker.refuse("data", "remove")
    told = rovitracker.ask("data", "remove", "--yes")
    assert {str(home), str(folder / "embedded"), str(folder / "demo.json")} <= set(told["removed"])
    assert told["kept"] == [str(folder / "notes.txt")]
    assert [each.name for each in folder.iterdir()] == ["notes.txt"]
    assert not home.exists()
    (folder / "notes.txt").unlink()
    assert rovitracker.ask("data", "remove", "--yes")["removed"] == [str(folder)]
    assert "there is no data directory at" in rovitracker.refuse("data", "remove", "--yes")


def test_a_record_that_names_another_folder_removes_nothing(tmp_path: Path) -> None:
    """An id that is none would make the parent of everybody's servers the home of these."""
    folders = Folders(tmp_path)
    folders.private.mkdir()
    Record.new().save(folders)
    for server_id in ("", "..", "../x", 7, None):
        damaged = json.loads(folders.record.read_text()) | {"server_id": server_id}
        folders.record.write_text(json.dumps(damaged))
        with pytest.raises(EmbeddedError, match="is damaged: restore it"):
            Record.load(folders)
