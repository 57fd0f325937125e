"""How samples are shown is asked of a task's code, whatever that does."""

import numpy as np
import pytest
import torch

from gansearch.gan.data import data_of, held_out_of
from gansearch.gan.sample_display import display_of, files_of
from gansearch.gan.task import Task
from gansearch.gan.tasks import Ring

SAMPLES = np.zeros((3, 2), np.float32)


class Showing(Task):
    def __init__(self, said):
        self.said = said

    def shown(self, samples):
        if isinstance(self.said, BaseException):
            raise self.said
        return self.said


def test_numbers_of_numpy_become_plain_json():
    said = {"kind": "table", "columns": np.array(["a"]), "rows": [[np.float32(0.5)], [np.int64(3)]]}
    assert display_of(Showing(said), SAMPLES) == {"kind": "table", "columns": ["a"], "rows": [[0.5], [3]]}


@pytest.mark.parametrize("said", [RuntimeError("no"), None, [1], {"kind": object()}, {1: {2, 3}}, "image"])
def test_what_is_wrong_says_nothing(said):
    assert display_of(Showing(said), SAMPLES) == {}


@pytest.mark.parametrize(
    ("made", "kept"),
    [
        ({"a.csv": b"1", "../b": b"2", "/c": b"3", "d/e": b"4"}, {"a.csv": b"1"}),
        (None, {}),
        ({"a": "text"}, {}),
    ],
)
def test_files_of_samples_stay_in_their_folder(made, kept):
    task = Showing({})
    task.sample_files = lambda samples: made
    assert files_of(task, SAMPLES) == kept


def test_the_held_out_reals_are_those_that_were_read():
    task = Ring(samples=100)
    assert held_out_of(task) is None
    data = data_of(task, torch.device("cpu"))
    assert held_out_of(task) is data.held_out
