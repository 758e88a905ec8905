"""The rooms of the house keep their walls: which may import which, and where the frameworks are known."""

import ast
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.syntax import in_rooms, nodes_of, tree_of

ROOT = Path(__file__).parent.parent
APP = ROOT / "app"

# A room may import the rooms it names here and nothing else of ours. `parts` are the files at the top of app/ that
# hold state or settings and are put together by main and cli.
RULES = {
    "refused": set(),  # what every room may raise, so every room may import it
    "sentence": set(),  # what every room may say, likewise
    "weighted": set(),
    "language": {"weighted"},
    "origin": set(),
    "bounded": set(),
    "ending": set(),
    "first_step": set(),
    "interpreter": set(),
    "loading": set(),
    "oauth": set(),
    "aemp": {"weighted"},
    "simulation": {"aemp"},
    "mail": {"language", "metrics"},
    "storage": {"oauth", "aemp", "bounded", "ending", "first_step", "origin"},
    "process": {"bounded", "ending", "oauth", "storage"},
    "throttling": {"bounded", "oauth", "storage"},
    "flows": {
        "language",
        "storage",
        "oauth",
        "aemp",
        "simulation",
        "mail",
        "context",
        "policy",
        "process",
        "throttling",
    },
    "web": {
        "flows",
        "storage",
        "oauth",
        "aemp",
        "context",
        "door",
        "first_step",
        "language",
        "logs",
        "mail",
        "metrics",
        "origin",
        "policy",
        "process",
        "throttling",
    },
    "door": {"first_step", "loading", "logs", "metrics"},
    "embedded": set(),
    "logo": set(),
    "randomness": set(),
    "setting_kinds": {"mail"},
    "setting_addresses": {"mail"},
    "setting_groups": {"setting_addresses", "setting_kinds"},
    "setting_sources": set(),
    "settings": {"mail", "randomness", "setting_groups", "setting_sources"},
    "logs": {"oauth", "origin"},
    "metrics": set(),
    "policy": {"oauth", "settings", "throttling"},
    "stores": {"embedded", "randomness", "settings", "storage"},
    "context": {
        "bounded",
        "mail",
        "oauth",
        "policy",
        "process",
        "settings",
        "storage",
        "stores",
        "throttling",
    },
}
# Only these put the parts together, so they may import everything.
ASSEMBLERS = {"cli", "main", "demo", "__main__"}

# (package, rooms that may know it)
FRAMEWORKS = [
    ("fastapi", {"web", "main"}),
    ("starlette", {"web", "main"}),
    ("uvicorn", {"door"}),
    ("jinja2", {"language"}),
    ("babel", {"language"}),
    ("zoneinfo", {"language"}),
    ("aiosmtplib", {"mail"}),
    ("asyncpg", {"storage", "context"}),
    ("redis", {"storage", "context"}),
    ("pydantic_settings", {"settings", "setting_kinds"}),
    ("typer", {"cli"}),
    ("rich", {"cli"}),
    ("lxml", {"aemp"}),
    ("prometheus_client", {"metrics"}),
    ("joserfc", {"oauth"}),
    ("webauthn", {"oauth"}),
]

SOURCES = sorted(APP.rglob("*.py"))


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def room_of(file: Path) -> str:
    first = file.relative_to(APP).parts[0]
    return first.removesuffix(".py")


def imports_of(file: Path) -> Iterator[tuple[str, int]]:
    """Every module a file imports, with its line."""
    for node in nodes_of(file):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(file)}:{node.lineno} imports relatively"
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names]
                if node.module == "app"
                else [node.module or ""]
            )
            yield from ((name, node.lineno) for name in names)


def rooms_imported(file: Path) -> Iterator[tuple[str, int]]:
    for module, line in imports_of(file):
        parts = module.split(".")
        if parts[0] == "app" and len(parts) > 1:
            yield parts[1], line


@pytest.mark.parametrize("files", in_rooms(SOURCES))
def test_imports_go_down_only(files: list[Path]) -> None:
    climbing = [
        f"{name_of(file)}:{line} imports app.{other}"
        for file in files
        if (room := room_of(file)) not in ASSEMBLERS and room != "__init__"
        for other, line in rooms_imported(file)
        if other not in RULES[room] | {room, "refused", "sentence", "__version__"}
    ]
    assert not climbing


def test_sub_rooms_of_a_room_import_each_other_in_one_direction() -> None:
    graph: dict[str, set[str]] = {}
    for file in SOURCES:
        own = sub_room_of(module_name(file))
        for module in targets(file, {module_name(each) for each in SOURCES}):
            other = sub_room_of(module)
            if own and other and own != other and room_of(file) == other.split(".")[1]:
                graph.setdefault(own, set()).add(other)
    assert len(graph) > 10  # there is something to hold
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def sub_room_of(module: str) -> str:
    """A name such as app.flows.token; empty for a module that stands in its room itself."""
    parts = module.split(".")
    return ".".join(parts[:3]) if len(parts) > 2 and APP.joinpath(*parts[1:3]).is_dir() else ""


ROOMS = sorted({file.parent for file in SOURCES} - {APP})


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_every_room_has_a_plate_at_its_door(room: Path) -> None:
    """It says what lives there, what it may import, and where to begin."""
    plate = ast.get_docstring(tree_of(room / "__init__.py")) or ""
    first, *more = plate.split("\n\n")
    assert first.endswith(".")
    assert more, f"{name_of(room)} says too little"
    assert room.parent.name == "app" or room.parent.parent.name == "app", "rooms are one level deep"


@pytest.mark.parametrize(("package", "rooms"), FRAMEWORKS)
def test_frameworks_stay_in_their_rooms(package: str, rooms: set[str]) -> None:
    strays = [
        f"{name_of(file)}:{line}"
        for file in SOURCES
        if room_of(file) not in rooms
        for module, line in imports_of(file)
        if module.split(".")[0] == package
    ]
    assert not strays


@pytest.mark.parametrize("files", in_rooms(SOURCES))
def test_every_file_says_what_lives_in_it(files: list[Path]) -> None:
    silent = [
        name_of(file) for file in files if file.read_text().strip() and not ast.get_docstring(tree_of(file))
    ]
    assert not silent


@pytest.mark.parametrize("files", in_rooms(SOURCES))
def test_nothing_is_imported_inside_a_function(files: list[Path]) -> None:
    late = [
        f"{name_of(file)}:{node.lineno}"
        for file in files
        for function in nodes_of(file)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    assert not late


def test_no_import_goes_in_a_circle() -> None:
    modules = {module_name(file): file for file in SOURCES}
    graph = {
        name: {other for other in targets(file, modules.keys()) if other in modules and other != name}
        for name, file in modules.items()
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"circle: {' -> '.join([*path[path.index(name) :], name])}"
        if name not in done:
            for other in graph[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def targets(file: Path, modules: Collection[str]) -> Iterator[str]:
    """Modules a file imports; of `from app.room import part` the part, where that is a module."""
    for node in nodes_of(file):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                part = f"{node.module}.{alias.name}"
                yield part if part in modules else node.module


def test_no_settings_object_hangs_around() -> None:
    """Settings are passed on, so that a test or a second service in one process can have its own."""
    strays = [
        f"{name_of(file)}:{node.lineno}"
        for file in SOURCES
        for node in tree_of(file).body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Call)
        if isinstance(node.value.func, ast.Name) and node.value.func.id in ("Settings", "load_settings")
    ]
    assert not strays


def test_only_settings_reads_the_environment() -> None:
    readers = [
        f"{name_of(file)}:{node.lineno}"
        for file in SOURCES
        if room_of(file)
        not in ("settings", "embedded")  # a started server gets an environment, it is not read
        for node in nodes_of(file)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ]
    assert not readers


FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "base"}


def test_no_room_is_a_drawer() -> None:
    assert not [name_of(file) for file in SOURCES if file.stem in FORBIDDEN_NAMES]


def test_no_public_name_of_storage_and_flows_is_defined_twice() -> None:
    """One name, one thing: whoever reads a call knows what is called without looking at the imports."""
    places: dict[str, list[str]] = {}
    for file in SOURCES:
        if room_of(file) in {"storage", "flows"}:
            for name in public_names(file):
                places.setdefault(name, []).append(name_of(file))
    assert len(places) > 300  # there is something to hold
    assert not {name: files for name, files in places.items() if len(files) > 1}


def public_names(file: Path) -> Iterator[str]:
    """What a file defines at its top."""
    for node in tree_of(file).body:
        for name in defined_by(node):
            if not name.startswith("_"):
                yield name


def defined_by(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Assign() | ast.AnnAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (
                each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)
            )
        case _:
            pass


def test_lock_files_are_pinned_hashed_and_name_no_registry() -> None:
    for file in (ROOT / "requirements.txt", ROOT / "requirements-dev.txt"):
        text = file.read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text
        entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#", "-"))]
        assert all("==" in line for line in entries)


def test_the_lock_file_for_development_adds_to_the_one_that_runs() -> None:
    running, development = (
        (ROOT / name).read_text().splitlines() for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert development[0] == "-r requirements.txt"
    assert not {line for line in running if "==" in line} & {line for line in development if "==" in line}
