"""The layout of the project: tests beside their modules by name, small files, short functions, little code."""

import ast
import io
import tokenize
from pathlib import Path

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "gansearch"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))
EXEMPT: dict[str, str] = {
    "cli/remote.py": "search/jobs/test_submit.py",
    "gan/updates/capture.py": "gan/test_graphs.py",
    "gan/rows/updates.py": "gan/test_stacked.py",
    "scripts/prepare/changes.py": "scripts/prepare/test_prepare.py",
    "scripts/prepare/environment.py": "scripts/prepare/test_prepare.py",
    "scripts/errors.py": "scripts/prepare/test_prepare.py",
    "scripts/draft/habits.py": "scripts/draft/test_draft.py",
    "scripts/draft/signatures.py": "scripts/draft/test_draft.py",
    "search/errors.py": "search/test_sweep.py",
    "study/data.py": "study/test_study.py",
    "study/swept.py": "study/test_study.py",
}
"""Modules without a test file of their name, each with the file that tests it together with the modules that use it."""
OTHERS = {
    "cli/test_package.py": "the wheel and the sdist",
    "cuda/test_commands.py": "train, check and a sweep on a pretended GPU",
    "cuda/test_device.py": "the pretended CUDA device of tests/cuda",
    "cuda/test_fill.py": "gpus: fill and stack on a pretended GPU",
    "cuda/test_graphs.py": "updates as graphs on a pretended GPU",
    "cuda/test_judging.py": "monitor, referee and a user's loop on a pretended GPU",
    "cuda/test_tasks.py": "the library's tasks on a pretended GPU",
    "cuda/test_training.py": "trainer and seeds at once on a pretended GPU",
    "diagnosis/reading/test_strangers.py": "reader and names on logs of people's own scripts",
    "diagnosis/test_printed_runs.py": "benchmarks/diagnose.py and diagnose_runs.py",
    "diagnosis/test_recorded.py": "the rules on results/reference",
    "folders/test_folders.py": "results folders of earlier versions",
    "gan/readers/test_fuzz.py": "benchmarks/fuzz_readers.py: broken files",
    "gan/test_conditional.py": "trainer, seeds at once and probes of a GAN with conditions",
    "search/cluster/test_join.py": "whole sweeps on a cluster that runs already",
    "search/test_head_to_head.py": "benchmarks/head_to_head.py: its rounds, figures and plain loop",
    "search/test_process.py": "whole sweeps in a process of their own: signals and kills",
    "search/test_published.py": "benchmarks/published.py: its networks, counts and continued searches",
    "search/test_replay.py": "benchmarks/replay.py: what a search in a replay knows, and what is counted",
    "search/worker/test_script_trials.py": "whole sweeps of a script of the user's own",
    "search/worker/test_loop_trials.py": "whole sweeps of a training loop of the user's own",
    "stability/test_dirac.py": "trainer and verdict on a GAN that is solved exactly",
    "stability/test_gaming.py": "trainer and verdict on runs that only look stable",
    "stability/test_planted.py": "benchmarks/planted.py: ruling and verdict on faulty samples",
    "study/report/test_browser.py": "the pages in a browser",
    "study/test_fuzz_folders.py": "benchmarks/fuzz_folders.py: folders that are damaged, or made to damage",
    "study/test_reference.py": "results/reference",
    "test_cluster_templates.py": "experiments/cluster",
    "test_docs.py": "docs and README.md",
    "test_ground.py": "what an import must not change",
    "test_imports.py": "which room imports which",
    "test_layout.py": "this file",
    "test_notebook.py": "docs/notebook.ipynb",
}
"""Test files about more than one module."""
FILE_LINES = 350
FUNCTION_LINES = 60
CODE_LINES = 32_340
"""What there is, rounded up: to be lowered with every simplification."""


def mirrored(module: Path) -> str:
    """The path of a module's test file, below tests/."""
    return str(module.relative_to(PACKAGE).with_name(f"test_{module.name}"))


def code_lines(source: str) -> int:
    """Lines without comments, blank lines and docstrings."""
    strings = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Expr)]
    strings = [node for node in strings if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)]
    documentation = {line for node in strings for line in range(node.lineno, node.end_lineno + 1)}
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in blank]
    return len({line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - documentation)


def test_every_module_has_a_test_file_of_its_name_or_is_named_with_the_one_that_tests_it():
    missing = {str(path.relative_to(PACKAGE)) for path in MODULES if not (TESTS / mirrored(path)).exists()}
    assert sorted(missing - EXEMPT.keys()) == []
    assert sorted(EXEMPT.keys() - missing) == [], "they have a test file now, or are gone"
    assert [file for file in EXEMPT.values() if not (TESTS / file).exists()] == []


def test_every_test_file_is_about_a_module_or_is_named_with_its_subject():
    found = {str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py")}
    assert sorted(found - {mirrored(module) for module in MODULES} - OTHERS.keys()) == []
    assert sorted(OTHERS.keys() - found) == []


def test_files_are_short():
    lengths = {str(path.relative_to(PACKAGE)): path.read_text().count("\n") for path in PACKAGE.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > FILE_LINES} == {}


def test_functions_are_short():
    lengths = {
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}


def test_what_counts_as_a_line_of_code():
    source = '"""One.\n\nTwo."""\n\nx = 1  # three\n# four\ny = [\n    2,\n\n]\n\n\ndef f():\n    """Five."""\n'
    assert code_lines(source + '    return """a\n    b"""\n') == 7


def test_there_is_little_code():
    assert sum(code_lines(path.read_text()) for path in PACKAGE.rglob("*.py")) <= CODE_LINES
