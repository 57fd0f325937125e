"""The directions of imports that the house is built on."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "gansearch"
OURS = {
    "stability": set(),
    "experiment": set(),
    "gan": {"stability"},
    "study": {"experiment", "stability"},
    "search": {"experiment", "gan", "stability", "study"},
}
FOREIGN = {"stability": {"ray", "optuna"}, "gan": {"ray", "optuna"}, "study": {"ray"}, "experiment": {"torch", "ray"}}


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", OURS)
def test_a_room_imports_only_what_stands_above_it(room):
    for path in files(room):
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "gansearch":
                assert len(parts) > 1, f"{path} imports {name}"
                assert parts[1] in OURS[room] | {room}, f"{path} imports {name}"
            assert parts[0] not in FOREIGN.get(room, set()), f"{path} imports {name}"


@pytest.mark.parametrize("room", OURS)
def test_the_files_of_a_room_import_each_other_in_one_direction(room):
    names = {path: ".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in files(room)}
    modules = {name.removesuffix(".__init__"): path for path, name in names.items()}
    assert modules
    graph = {
        module: {n if n in modules else n.rpartition(".")[0] for n in imports(path)} & modules.keys()
        for module, path in modules.items()
    }
    TopologicalSorter(graph).prepare()  # raises where they go round


def test_search_imports_no_report_and_no_figures():
    for path in files("search"):
        assert not [n for n in imports(path) if n.startswith(("gansearch.study.report", "gansearch.study.figures"))]


def test_ray_lives_in_search_alone():
    others = [p for p in ROOT.rglob("*.py") if (ROOT / "search") not in p.parents]
    assert not [p for p in others if any(n.split(".")[0] == "ray" for n in imports(p))]


def test_the_experiment_file_needs_no_torch():
    code = "import sys, gansearch.experiment; sys.exit('torch' in sys.modules or 'ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
