"""The curves of a trial."""

from __future__ import annotations

import pandas as pd
import pytest

from gansearch.store.folder import Folder
from gansearch.study.figures.curves import curves as draw_curves
from gansearch.study.figures.palette import COLOURS
from gansearch.study.study import Study, load_study


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def test_a_gradient_that_vanishes_is_drawn_to_the_end(study: Study) -> None:
    curves = study.curves[study.curves["number"] == 3].copy()
    curves.iloc[-1, curves.columns.get_loc("grad_norm_g")] = 1e-12
    axis = draw_curves(curves, 3).layout.yaxis4
    assert axis.range[0] < -12
    assert 3 <= len(axis.tickvals) <= 8


def test_each_seed_is_a_faint_line_beside_the_median(study: Study) -> None:
    one = study.curves[study.curves["number"] == 3]
    assert len(draw_curves(one, 3).data) == 7
    two = pd.concat([one, one.assign(seed=1, separability=one["separability"] + 0.2)])
    lines = [trace for trace in draw_curves(two, 3, "balanced").data if trace.name == "separability"]
    assert [line.opacity for line in lines] == [0.4, 0.4, 1]
    middle = one["separability"] + 0.1
    assert lines[2].y == pytest.approx(middle, rel=1e-3)
    assert {line.line.color for line in lines} == {COLOURS["balanced"]}


def test_many_probes_are_thinned_out(study: Study) -> None:
    row = study.curves[study.curves["number"] == 3].iloc[:1]
    figure = draw_curves(pd.concat([row.assign(update=update) for update in range(300)]), 3)
    assert len(figure.data[0].x) == 200
    assert figure.layout.meta["drawn"] == "Drawn: 200 of 300 probes."
