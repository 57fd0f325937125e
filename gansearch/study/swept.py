"""A results folder, opened: its tables, its best-balanced configuration, and what can be made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gansearch.experiment import Experiment, ExperimentError
from gansearch.formatting import many
from gansearch.store.folder import Folder, NothingHealthy, StudyError, as_begun, save
from gansearch.store.object_store import local_folder
from gansearch.study.compare import Comparison, compare
from gansearch.study.export import FORMATS
from gansearch.study.plots import Plots
from gansearch.study.report.page import fragment
from gansearch.study.report.report import report
from gansearch.study.report.samples import Gallery, beside_reals


def load_sweep(dir: str | Path) -> Study:
    """Open a results folder, also of a sweep that runs or died. Raises StudyError where it is none.

    Of results at a URL, such as s3://bucket/prefix, it opens a copy.
    """
    folder = Folder(local_folder(dir)).require_ours()
    try:
        return Study(folder, as_begun(Experiment.load(folder.experiment), folder.path))
    except ExperimentError as error:
        raise StudyError(str(error)) from None


class Study(Plots):
    """The results of a sweep: `trials` and `curves` as tables, the `best` configuration, figures, report and export."""

    def export(self, path: str | Path | None = None, format: str = "yaml", anyway: bool = False) -> str:
        """The best-balanced configuration as yaml, json or python text, also written to `path` if given.

        Raises StudyError where nothing is healthy; with `anyway` it is what came closest, if any trial has a verdict.
        """
        if format not in FORMATS:
            raise StudyError(f"{format!r} is not one of {', '.join(FORMATS)}")
        choice = self.choice if anyway else self.best
        if choice is None:
            raise NothingHealthy(f"{self.folder.path}: {self.nothing_healthy()}")
        text = FORMATS[format](choice, self.experiment)
        if path is not None:
            save(Path(path), text)
        return text

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, a page that needs no network, and return its path: report.html by default."""
        return save(self.folder.report if path is None else Path(path), report(self))

    def compare(self, *others: Study) -> Comparison:
        """This study and others: a table with a row for each, and a figure."""
        return compare([self, *others])

    def show_samples(self) -> Any:
        """For notebooks: samples of the chosen trial, of others and real ones, as pictures, sounds, texts or tables."""
        return Gallery(beside_reals(self))

    def __repr__(self) -> str:
        """One line, also where a table cannot be read: printing an object should not raise."""
        name = f"Study({str(self.folder.path)!r}): {self.experiment.name}"
        try:
            best = f"best-balanced trial {self.best.number}" if self.best else "nothing healthy"
            return f"{name}, {many(len(self.trials), 'trial')}, {self.verdicts.get('balanced', 0)} balanced, {best}"
        except StudyError:
            return f"{name}, its tables cannot be read"

    def _repr_html_(self) -> str:
        """A card for notebooks: the answer, its numbers, and the trials by verdict."""
        group = self.groups[0] if self.choice else None
        verdicts = dict(reversed(self.verdicts.items()))
        return fragment("card.html", study=self, choice=self.choice, group=group, verdicts=verdicts)
