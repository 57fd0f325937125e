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


def test_a_trial_with_ada_has_a_panel_of_r_t_and_p(study: Study) -> None:
    table = study.curves.copy()
    plain = draw_curves(table, 0)
    table.loc[table["number"] == 0, ["r_t", "augment_p"]] = [0.7, 0.2]
    shown = draw_curves(table, 0)
    assert not any("Augmentation" in one.text for one in plain.layout.annotations)
    assert any("r_t" in one.text for one in shown.layout.annotations)
    assert {one.name: one.y[0] for one in shown.data}["r_t"] == 0.7


def test_a_trial_of_pairs_has_a_panel_of_the_reconstruction(study: Study) -> None:
    table = study.curves.copy()
    assert not any("Reconstruction" in one.text for one in draw_curves(table, 0).layout.annotations)
    table.loc[table["number"] == 0, "reconstruction"] = 0.3
    shown = draw_curves(table, 0)
    assert any("Reconstruction" in one.text for one in shown.layout.annotations)
    assert {one.name: one.y[0] for one in shown.data}["reconstruction"] == 0.3


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


def test_the_text_of_curves_has_what_is_known(study: Study) -> None:
    one = study.curves[study.curves["number"] == 3]
    assert "; at its end D(real) " in draw_curves(one, 3, "balanced").layout.meta["text"]
    unknown = one.assign(update=[10 / 3] * len(one), p_real=float("nan"), p_fake=0.25, separability=float("nan"))
    text = draw_curves(unknown, 3, "balanced").layout.meta["text"]
    assert text == "Trial 3, balanced, over 3.333 updates; at its end D(fake) 0.25."


def test_many_probes_are_thinned_out(study: Study) -> None:
    row = study.curves[study.curves["number"] == 3].iloc[:1]
    figure = draw_curves(pd.concat([row.assign(update=update) for update in range(300)]), 3)
    assert len(figure.data[0].x) == 200
    assert figure.layout.meta["drawn"] == "Drawn: 200 of 300 probes."


def of_4000(study: Study) -> pd.DataFrame:
    """The curves of a trial that was trained to its end."""
    number = study.curves.loc[study.curves["update"] == 4000, "number"].iloc[0]
    return study.curves[study.curves["number"] == number].assign(number=3)


def test_late_trouble_is_shaded_in_every_panel(study: Study) -> None:
    one = of_4000(study)
    seed, end = int(one["seed"].iloc[0]), one["update"].max()
    figure = draw_curves(one, 3, "collapsed", {seed: end - 300.0})
    assert [(shape.x0, shape.x1, shape.xref, shape.yref) for shape in figure.layout.shapes] == [
        (end - 300, end, x, f"{y} domain") for x, y in (("x", "y"), ("x2", "y2"), ("x3", "y3"), ("x4", "y4"))
    ]
    assert {shape.fillcolor for shape in figure.layout.shapes} == {COLOURS["collapsed"]}
    note = f"Shaded: trouble that began late, after update {end - 300:,.0f}, and lasted to the end. "
    note += "The run is judged by it."
    assert figure.layout.meta["drawn"] == figure.layout.title.subtitle.text == note
    assert note in figure.layout.meta["text"]


def test_late_trouble_of_several_seeds_names_them(study: Study) -> None:
    one = of_4000(study)
    three = pd.concat([one.assign(seed=seed) for seed in range(3)])
    figure = draw_curves(three, 3, "collapsed", {0: 100.0, 1: float("nan"), 2: 200.0})
    assert [shape.x0 for shape in figure.layout.shapes] == [100, 200] * 4
    assert "after update 100 (seed 0), 200 (seed 2), and lasted" in figure.layout.meta["drawn"]


def test_without_late_trouble_nothing_is_shaded(study: Study) -> None:
    figure = draw_curves(study.curves, 3, "balanced", {0: float("nan")})
    assert not figure.layout.shapes
    assert figure.layout.meta["drawn"] == ""
