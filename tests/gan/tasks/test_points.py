from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from gansearch.gan import TaskError, load_task
from gansearch.gan.tasks.points import SHAPES, Points

POINTS = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float64)


@pytest.fixture(autouse=True)
def _working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_constant_and_uneven_columns_are_warned_of():
    np.save("a.npy", POINTS * [1, 0, 1000])
    constant, uneven = Points("a.npy").warnings()
    assert constant == "columns of a.npy are the same in every row: 1 (counted from 0); nothing can be learned there"
    assert "write standardise: true" in uneven
    task = Points("a.npy", standardise=True)
    assert task.warnings()[1:] == []
    assert task.real().mean(0).abs().max() < 1e-5
    assert task.real().std(0).tolist() == pytest.approx([1, 0, 1], abs=1e-4)


def test_rows_that_are_copies_are_told_and_learned():
    np.save("a.npy", np.concatenate([POINTS, POINTS[:12]]))
    task = Points("a.npy")
    assert task.warnings() == ["12 of 72 rows of a.npy are copies of others: both learned and held out"]
    assert (len(task.real()), task.groups()) == (72, None)


@pytest.mark.parametrize("name", ["german.csv", "index.csv", "a.parquet"])
def test_samples_are_written_so_that_what_read_the_points_reads_them(name):
    table = pd.DataFrame({"x": POINTS[:, 0].round(2), "count": np.arange(60) % 7})
    {
        "german.csv": lambda: table.to_csv(name, index=False, sep=";", decimal=","),
        "index.csv": lambda: table.to_csv(name),
        "a.parquet": lambda: table.astype({"count": "int16"}).to_parquet(name),
    }[name]()
    ((written, content),) = Points(name).sample_files(np.array([[0.5, 2.2], [0.25, 5]] * 30, np.float32)).items()
    assert written == f"samples{Path(name).suffix}"
    Path(written).write_bytes(content)
    assert Points(written).real()[:2].tolist() == [[0.5, 2], [0.25, 5]]
    if name == "a.parquet":
        assert pd.read_parquet(written).dtypes.tolist() == pd.read_parquet(name).dtypes.tolist()
    else:
        assert Path(name).read_text().splitlines()[0] == Path(written).read_text().splitlines()[0]


def test_samples_of_arrays_need_no_other_file():
    np.save("a.npy", POINTS)
    assert Points("a.npy").sample_files(POINTS) == Points(shape="ring").sample_files(POINTS) == {}


def test_last_digits_survive_standardisation():
    times = 1.7e9 + np.linspace(0, 60, 400)
    np.save("times.npy", np.stack([times, times % 7], 1))
    (coarse, *_) = Points("times.npy").warnings()
    assert coarse.startswith("columns of times.npy are varying by less than the rounding of 32-bit numbers: 0 (counted")
    task = Points("times.npy", standardise=True)
    assert len(task.real()[:, 0].unique()) == 400
    assert task.undo()(task.real())[:, 0].tolist() == pytest.approx(times.tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, "points needs a file, {path: FILE}, or one of the toy sets, {shape: ring | grid | spiral | moons}"),
        ({"path": "good.npy", "shape": "ring"}, "not both"),
        ({"shape": "moon"}, 'did you mean "moons"?'),
        ({"shape": "ring", "width": 0}, "task_options.width: must be above 0, not 0"),
    ],
)
def test_errors_are_one_line(options, part):
    with pytest.raises(TaskError) as error:
        load_task("points", options)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", SHAPES)
def test_toy_sets_are_planes_of_the_same_points_each_time(shape):
    task = Points(shape=shape)
    assert task.real().shape == (10_000, 2)
    assert torch.equal(task.real(), Points(shape=shape).real())
    assert task.warnings() == []
    assert 0.3 < task.real().std() < 4


def test_points_train(train):
    np.save("a.npy", POINTS)
    task = Points("a.npy", width=8)
    result = train(task)
    assert result.samples.shape[1] == 3
    assert set(result.quality) == {"samples", "distance", "coverage"}
    assert task.shown(result.samples) == {"kind": "points"}
