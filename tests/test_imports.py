"""The directions of imports between the rooms of the package, and that no two modules import each other.

Imports are counted wherever they stand: at the top of a module, inside a function, or under TYPE_CHECKING.
"""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "gansearch"
MAY_IMPORT = {
    "experiment": set(),
    "stability": {"formatting"},
    "diagnosis": {"stability", "formatting"},
    "gan": {"experiment", "stability", "formatting"},
    "scripts": {"experiment", "stability", "diagnosis", "gan", "formatting", "signals"},
    "store": {"experiment", "stability", "formatting"},
    "interrupts": {"store"},
    "signals": set(),
    "rendering": {"store", "formatting"},
    "study": {"experiment", "stability", "store", "rendering", "formatting"},
    "search": {
        *("experiment", "stability", "gan", "scripts", "store", "rendering", "formatting", "interrupts", "signals"),
        "study.analysis",
    },
    "training": {
        *("experiment", "stability", "gan", "scripts", "store", "rendering", "formatting", "interrupts", "signals"),
    },
    "integrations": {"experiment", "stability", "study", "search.sampling", "formatting"},
}
"""What a room may import of ours beside itself; "study.analysis" is that part of a room alone."""

MAY_NOT_IMPORT = {
    "experiment": {"torch", "ray", "optuna"},
    "stability": {"ray", "optuna"},
    "diagnosis": {"ray", "optuna", "torch"},
    "gan": {"ray", "optuna"},
    "scripts": {"ray", "optuna"},
    "store": {"ray", "optuna"},
    "study": {"ray"},
    "training": {"ray", "optuna"},
    "cli": {"ray", "optuna"},
}
"""Libraries of others that a room does without."""

PARTS_ABOVE = {
    "search": {
        "sampling": set(),
        "cluster": set(),
        "callbacks": {"cluster"},
        "worker": {"sampling", "cluster"},
        "population": {"sampling", "worker"},
        "dry_run": {"sampling", "cluster", "worker"},
        "jobs": {"sampling", "cluster"},
    },
    "study": {
        "analysis": set(),
        "figures": {"analysis"},
        "report": {"analysis", "figures"},
        "foreign": {"analysis", "figures", "report"},
    },
    "gan": {
        "encoding": set(),
        "readers": {"encoding"},
        "balance": set(),
        "updates": {"balance"},
        "rows": {"updates"},
        "features": {"readers"},
        "distances": {"readers", "features"},
        "tasks": {"encoding", "readers", "features", "distances"},
        "loop": set(),
        "distributed": set(),
    },
    "diagnosis": {
        "rules": set(),
        "numbers": set(),
        "lines": {"numbers"},
        "roles": {"numbers", "lines"},
        "reading": {"numbers", "lines", "roles"},
    },
}
"""Of a room, which of its parts each part may import; the modules beside the parts are held by the test of circles."""


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, anywhere in it; also by name, as `import_module("...")`."""
    names: set[str] = set()
    text = path.read_text()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names | set(re.findall(r"import_module\(\"(gansearch[\w.]*)\"", text))


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name without "gansearch."."""
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in named.items() if name != "__init__"}


MODULES = modules()


def ours(path: Path) -> set[str]:
    """The modules of the package that a file imports."""
    found = {name.removeprefix("gansearch.") for name in imports(path) if name.startswith("gansearch.")}
    return {name if name in MODULES else name.rpartition(".")[0] for name in found} & MODULES.keys()


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_rooms_below_it(room):
    allowed = MAY_IMPORT[room] | {room}
    files = {name: path for name, path in MODULES.items() if within(name, room)}
    assert files
    for name, path in files.items():
        wrong = {other for other in ours(path) if not any(within(other, one) for one in allowed)}
        assert not wrong, f"{name} imports {wrong}"


@pytest.mark.parametrize("room", MAY_NOT_IMPORT)
def test_a_room_does_without_libraries_that_are_not_its_own(room):
    for name, path in MODULES.items():
        if within(name, room):
            wrong = {other for other in imports(path) if other.split(".")[0] in MAY_NOT_IMPORT[room]}
            assert not wrong, f"{name} imports {wrong}"


@pytest.mark.parametrize(("room", "part"), [(room, part) for room, parts in PARTS_ABOVE.items() for part in parts])
def test_a_part_of_a_room_imports_only_parts_below_it(room, part):
    parts = PARTS_ABOVE[room]
    allowed = parts[part] | {part}
    for name, path in MODULES.items():
        if within(name, f"{room}.{part}"):
            wrong = {n for n in ours(path) for other in parts.keys() - allowed if within(n, f"{room}.{other}")}
            assert not wrong, f"{name} imports {wrong}"


def test_every_part_of_a_room_is_in_the_table():
    for room, parts in PARTS_ABOVE.items():
        assert {path.parent.name for path in (ROOT / room).glob("*/__init__.py")} == set(parts)
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} <= {*MAY_IMPORT, "cli"}


def test_no_modules_import_each_other_in_a_circle():
    graph = {name: ours(path) - {name} for name, path in MODULES.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_nothing_imports_the_integrations():
    for name, path in MODULES.items():
        assert within(name, "integrations") or not any(within(one, "integrations") for one in ours(path)), name


def test_ray_lives_in_search_and_where_other_peoples_runs_of_it_are_met_alone():
    assert not [
        name
        for name, path in MODULES.items()
        if not (within(name, "search") or within(name, "integrations.tune") or name == "integrations.tune_search")
        and any(other.split(".")[0] == "ray" for other in imports(path))
    ]


def test_the_experiment_file_needs_no_torch():
    code = "import sys, gansearch.experiment; sys.exit('torch' in sys.modules or 'ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
