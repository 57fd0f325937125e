"""A number of the trials in their order."""

import math

import pandas as pd
import pytest

from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.figures.progress import progress

TRIALS = pd.DataFrame(
    {
        "number": [0, 1, 2, 3],
        "status": ["complete", "pruned", "complete", "complete"],
        "verdict": ["balanced", None, "collapsed", None],
        "stability": [0.9, math.nan, 0.2, 0.5],
        "distance": math.nan,
        "fid": [5.0, 1.0, 7.0, 3.0],
    }
)


@pytest.mark.parametrize(("minimised", "best"), [(True, [5.0, 5.0, 3.0]), (False, [5.0, 7.0, 7.0])])
def test_the_line_is_the_best_complete_trial_so_far(minimised, best):
    line = progress(TRIALS, "fid", minimised).data[0]
    assert list(line.x) == [0, 2, 3]
    assert list(line.y) == best


def test_hovering_says_nothing_of_numbers_that_no_trial_has():
    for trace in progress(TRIALS, "fid", True).data[1:]:
        assert "distance" not in trace.hovertemplate
        assert "stability" in trace.hovertemplate


def test_nothing_to_draw_is_said():
    with pytest.raises(EmptyFigureError, match="fid"):
        progress(TRIALS.assign(fid=math.nan), "fid", True)
