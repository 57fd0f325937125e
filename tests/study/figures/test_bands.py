"""Medians and bands of groups of trials."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from gansearch.study.figures.bands import bands, runs_of, seeds_of
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.figures.palette import COLOURS, GROUPS


def probes(trial: int, seed: int, values: list[float], step: int = 10, **columns: float) -> pd.DataFrame:
    known = {"separability": values, "distance": math.nan, "p_real": math.nan, "p_fake": math.nan, **columns}
    return pd.DataFrame({"number": trial, "seed": seed, "update": [step * k for k in range(len(values))], **known})


def eleven(length: int = 3) -> pd.DataFrame:
    """Eleven trials whose separability is 0, .1, … 1 all along."""
    return runs_of(pd.concat([probes(trial, 0, [trial / 10] * length) for trial in range(11)]))


def test_a_band_holds_eight_in_ten_runs_around_their_median() -> None:
    figure = bands(eleven(), "loss", {"hinge": range(11)})
    band, line = figure.data
    assert line.y == (0.5, 0.5, 0.5)
    assert line.x == (0, 10, 20)
    assert line.customdata == (11, 11, 11)
    assert band.y == pytest.approx((0.9, 0.9, 0.9, 0.1, 0.1, 0.1))
    assert band.x == (0, 10, 20, 20, 10, 0)
    assert figure.layout.meta["key"] == [["hinge · 11 runs", GROUPS[0], "solid"]]
    assert "Separability at the end: hinge · 11 runs, 0.5." in figure.layout.meta["text"]


def test_a_run_counts_up_to_where_it_was_stopped() -> None:
    runs = runs_of(pd.concat([probes(0, 0, [0.2, 0.2, 0.2]), probes(1, 0, [0.8]), probes(2, 0, [0.5, math.inf, 0.4])]))
    line = bands(runs, "verdict", {"balanced": [0, 1, 2]}).data[-1]
    assert line.y == pytest.approx((0.5, 0.2, 0.3))
    assert line.customdata == (3, 1, 2)


def test_the_seeds_of_a_trial_are_runs() -> None:
    runs = runs_of(pd.concat([probes(7, seed, [seed / 10]) for seed in range(3)] + [probes(8, 0, [0.9])]))
    assert seeds_of(runs) == {7: 3, 8: 1}
    figure = bands(runs, "configuration", {"trial 7": [7], "trial 8": [8]})
    assert [trace.y for trace in figure.data if trace.name] == [(0.1,), (0.9,)]
    assert [trace.name for trace in figure.data if trace.name] == ["trial 7 · 3 runs", "trial 8 · 1 run"]


def test_no_band_covers_a_line_and_verdicts_have_their_colours() -> None:
    figure = bands(eleven(), "verdict", {"balanced": range(5), "no verdict": range(5, 8), "collapsed": range(8, 11)})
    assert [trace.fill for trace in figure.data] == ["toself"] * 3 + [None] * 3
    colours = [colour for _, colour, _ in figure.layout.meta["key"]]
    assert (colours[0], colours[2]) == (COLOURS["balanced"], COLOURS["collapsed"])
    assert len({dash for _, _, dash in figure.layout.meta["key"]}) == 3


def test_curves_of_many_updates_are_means_over_equal_spans() -> None:
    values = np.linspace(0, 1, 1000)
    runs = runs_of(pd.concat([probes(trial, 0, list(values)) for trial in range(2)]))
    one = runs.loc[0, "separability"]
    assert len(one) == 50
    assert one.to_numpy() == pytest.approx(one.index.get_level_values("update") / 9990, abs=0.02)
    assert len(bands(runs, "x", {"one": [0, 1]}).to_json()) < 20_000


def test_a_distance_over_decades_is_on_a_logarithmic_axis_and_what_was_not_measured_has_no_panel() -> None:
    runs = runs_of(pd.concat([probes(0, 0, [0.5], distance=1.0), probes(1, 0, [0.5], distance=1000.0)]))
    figure = bands(runs, "x", {"a": [0], "b": [1]})
    assert [one.text for one in figure.layout.annotations] == ["<b>Distance</b>", "<b>Separability</b>"]
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis2.range == (-0.03, 1.03)
    assert len(bands(eleven(), "x", {"a": [0], "gone": [99]}).layout.meta["key"]) == 1


def test_a_label_is_text() -> None:
    figure = bands(eleven(), "loss", {"<b>x</b>": range(11)})
    assert figure.data[-1].name == "&lt;b&gt;x&lt;/b&gt; · 11 runs"
    assert figure.layout.meta["key"][0][0] == "<b>x</b> · 11 runs"  # the page writes it as text


def test_without_curves_there_is_no_figure() -> None:
    with pytest.raises(EmptyFigureError, match="no trial left curves"):
        bands(runs_of(probes(0, 0, [])), "verdict", {"balanced": [0]})
    with pytest.raises(EmptyFigureError, match="no trial left curves"):
        bands(runs_of(probes(0, 0, [math.nan])), "verdict", {"balanced": [0]})


def test_groups_whose_trials_left_no_curves_have_no_figure() -> None:
    with pytest.raises(EmptyFigureError, match="no trial left curves"):
        bands(eleven(), "distance", {"0 to 1": [20], "1 to 2": [21]})
