"""Figures and their panels, and the trials that are drawn of many."""

from __future__ import annotations

import pandas as pd
import pytest

from gansearch.store.folder import Folder
from gansearch.study.figures.base import add_panels, new_figure, subsample
from gansearch.study.study import Study, load_study


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def test_a_subsample_is_even_over_the_verdicts(study: Study) -> None:
    many = pd.concat([study.trials] * 100, ignore_index=True)
    many["number"] = range(len(many))
    many.loc[17, "verdict"] = "collapsed"
    drawn, note = subsample(many, include={1234})
    assert {17, 1234} <= set(drawn["number"])
    assert f"{len(drawn):,} of 4,000" in note
    shares = drawn["verdict"].value_counts(normalize=True) - many["verdict"].value_counts(normalize=True)
    assert shares.abs().max() < 0.02
    assert subsample(study.trials)[1] == ""


def test_panels_lie_in_rows_below_their_titles() -> None:
    figure = add_panels(new_figure("Three panels."), ["a", "b", "c"], columns=2, up="stability").figure()
    assert [note.text for note in figure.layout.annotations] == ["a", "b", "c"]
    assert [(note.xref, note.yref) for note in figure.layout.annotations][1:] == [
        ("x2 domain", "y2 domain"),
        ("x3 domain", "y3 domain"),
    ]
    first, second, third = (figure.layout[f"xaxis{end}"].domain for end in ("", 2, 3))
    assert first == third
    assert first[1] < second[0]
    assert figure.layout.yaxis3.domain[1] < figure.layout.yaxis.domain[0]
    titles = [figure.layout[f"yaxis{end}"].title.text for end in ("", 2, 3)]
    assert titles == ["stability", None, "stability"]
    assert figure.layout.meta["panels"] == 3


def test_texts_of_a_figure_are_escaped() -> None:
    figure = new_figure("", heading="<b>", key="<i>").figure()
    assert figure.layout.title.text == "<b>&lt;b&gt;</b>"
    assert figure.layout.title.subtitle.text == "&lt;i&gt;"
