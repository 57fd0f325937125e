"""What mattered, the seeds of configurations, and the winner's neighbourhood."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansearch.store.folder import Folder
from gansearch.study.study import Study, load_study
from tests.synthetic import write_study


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def test_one_seed_has_no_bar_and_no_distance_below_zero(tmp_path: Path) -> None:
    one = load_study(write_study(tmp_path / "s", trials=1, confirmed=False).path)
    assert one.plot_seeds().layout.xaxis2.range[0] == 0
    assert one.plot_pareto().layout.xaxis.range[0] == 0
    assert "bar" not in one.plot_seeds().layout.annotations[1].text
    assert "bar: 95%" in load_study(write_study(tmp_path / "c").path).plot_seeds().layout.annotations[1].text
    failed = load_study(write_study(tmp_path / "f", trials=3, only="diverged").path)
    assert [note.text for note in failed.plot_seeds().layout.annotations] == ["<b>Stability</b>"]


def test_a_neighbourhood_says_what_it_shows_and_shades_no_choices(study: Study) -> None:
    figure = study.plot_neighbourhood()
    assert figure.layout.yaxis.title.text == "expected distance"
    shaded = {shape.xref for shape in figure.layout.shapes if shape.type == "rect"}
    assert shaded == {"x", "x2", "x3", "x4"}
    own = next(shape for shape in figure.layout.shapes if shape.type == "line" and shape.xref == "x5")
    assert study.best is not None
    assert ("0", "0.1", "1")[own.x0] == f"{study.best.params['r1_gamma']:g}"
