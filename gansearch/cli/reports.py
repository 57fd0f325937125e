"""What `gansearch report` prints and writes: of sweeps, of a training, and of a study of somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gansearch.cli.foreign import is_foreign, report_foreign
from gansearch.cli.summaries import print_summary
from gansearch.cli.terminal import print_json, say
from gansearch.formatting import readings
from gansearch.store.folder import StudyError, as_typed
from gansearch.study.report.comparison import labels, write_comparison
from gansearch.study.study import load_sweep
from gansearch.study.trained import Trained, is_training


def write_report(dirs: Sequence[Path], as_json: bool, out: Path | None) -> None:
    """Write the page of what some folders hold, and print what it says. Raises StudyError where that is not known."""
    if any(map(is_foreign, dirs)):
        report_foreign(dirs, as_json, out)
    elif any(map(is_training, dirs)):
        _report_training(dirs, as_json, out)
    else:
        _report_sweeps(dirs, as_json, out)


def _report_training(dirs: Sequence[Path], as_json: bool, out: Path | None) -> None:
    if len(dirs) > 1:
        raise StudyError(f"{next(filter(is_training, dirs))}: is a training; sweeps alone can be compared")
    trained = Trained(dirs[0])
    page = trained.report(out) if out or not as_json else None
    if as_json:
        return print_json(trained.summary())
    for seed in trained.seeds:
        say(", ".join([f"seed {seed.seed}: {seed.verdict}", *readings(seed.stability, seed.distance)]))
    for answer in trained.answers():
        say(f"{answer.question} {answer.short}")
    if page:
        say(f"report: {as_typed(page)}")


def _report_sweeps(dirs: Sequence[Path], as_json: bool, out: Path | None) -> None:
    studies = [load_sweep(dir) for dir in dirs]
    paths = [study.folder.path.resolve() for study in studies]
    for dir, path in zip(dirs, paths, strict=True):
        if paths.count(path) > 1:
            raise StudyError(f"{dir}: given twice; a study can be compared with others only")
    names = labels(studies)
    if out or not as_json:
        page = write_comparison(studies, out) if len(studies) > 1 else studies[0].report(out)
    if as_json:
        summaries = [
            {"name": name, "folder": str(as_typed(study.folder.path)), **study.summary()}
            for name, study in zip(names, studies, strict=True)
        ]
        print_json(summaries[0] if len(dirs) == 1 else summaries)
    elif len(studies) == 1:
        print_summary(studies[0], page)
    else:
        for name, study in zip(names, studies, strict=True):
            say(f"== {name}")
            print_summary(study)
        say(f"comparison: {as_typed(page)}")
