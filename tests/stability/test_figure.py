import pytest

from gansearch.stability.figure import PANELS, windows_figure

WINDOW = {"p_real": 0.7, "p_fake": 0.2, "saturated_right": 0.1, "saturated_wrong": 0.0, "separability": 0.8}


def test_a_figure_has_a_line_for_each_column_over_the_updates():
    windows = [{**WINDOW, "step": step, "grad_norm_g": norm} for step, norm in ((10, 1.0), (20, 0.01))]
    figure = windows_figure(windows, "balanced", "some words")
    lines = {line.name: line for line in figure.data}
    assert set(lines) == {name for _, columns in PANELS.values() for _, name in columns.values()}
    assert list(lines["separability"].x) == [10, 20]
    assert list(lines["of G"].y) == pytest.approx([1.0, 0.01])
    assert figure.layout.yaxis4.type == "log"  # over more than a decade
    assert figure.layout.yaxis.range == (-0.03, 1.03)
    assert (figure.layout.title.text, figure.layout.meta["text"]) == ("<b>Balanced</b>", "some words")


def test_a_single_window_is_drawn_as_markers():
    figure = windows_figure([{**WINDOW, "step": 1, "grad_norm_g": float("nan")}], "collapsed", "")
    assert {line.mode for line in figure.data} == {"markers"}


def test_late_trouble_is_shaded_to_the_end():
    windows = [{**WINDOW, "step": step, "grad_norm_g": 1.0} for step in (10, 20)]
    figure = windows_figure(windows, "collapsed", "", late_since=17)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(17, 20)] * len(PANELS)
    assert "from update 17 to the end" in figure.layout.title.text
    assert not windows_figure(windows, "balanced", "").layout.shapes
