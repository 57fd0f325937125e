"""The small pictures beside the answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gansearch.stability.band import shipped_band
from gansearch.study.analysis.changes import Change
from gansearch.study.analysis.moments import moment_of
from gansearch.study.figures import answers as figures
from gansearch.study.figures.base import EmptyFigureError


def test_a_change_is_drawn_with_its_interval_and_its_name_escaped() -> None:
    figure = figures.changes([Change("<b>lr", 1e-4, 1e-3, 0.5, 0.6, (0.25, 0.9))])
    bar = figure.data[0]
    assert bar.y == ("&lt;b&gt;lr 0.001",)
    assert (bar.x[0], bar.error_x.array[0], bar.error_x.arrayminus[0]) == (0.5, 0.4, 0.25)
    with pytest.raises(EmptyFigureError):
        figures.changes([])


def test_the_smallest_distance_has_the_ring() -> None:
    curves = pd.DataFrame({"update": [100, 200, 300], "distance": [9.0, 2.0, 5.0]})
    moment = moment_of(curves)
    assert moment is not None
    figure = figures.course(curves.set_index("update")["distance"], moment)
    assert (figure.data[1].x, figure.data[1].y) == ((200.0,), (2.0,))


def test_the_first_run_is_drawn_over_the_others_and_the_band() -> None:
    line = np.linspace(0, 1, 5), np.full(5, 0.7)
    figure = figures.band({"Trial 3": line, "Trial 9": line}, shipped_band("hinge"))
    assert len(figure.data) == 4
    assert "Trial 3" in figure.data[-1].hovertemplate
    assert max(figure.data[1].y) <= 1
    assert figures.memory(pd.Series([0.0, 0.4], index=[1, 2])).data[0].y == (50.0, 70.0)
