"""Points from files, and toy sets."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from gansearch.experiment import Training
from gansearch.gan import check_task, load_task
from gansearch.gan.readers.arrays import read_points
from gansearch.gan.task import TaskError
from gansearch.gan.tasks import Points
from gansearch.gan.tasks.points import SHAPES
from gansearch.gan.trainer import Trainer

POINTS = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float64)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(path: str, points: np.ndarray = POINTS) -> Path:
    table = pd.DataFrame(points, columns=[f"x{i}" for i in range(points.shape[1])])
    match path.rpartition(".")[2]:
        case "npy":
            np.save(path, points)
        case "npz":
            np.savez(path, points=points)
        case "csv":
            table.to_csv(path, index=False, header="bare" not in path)
        case "parquet":
            table.to_parquet(path, index=False)
    return Path(path)


@pytest.mark.parametrize("path", ["a.npy", "a.npz", "a.csv", "bare.csv", "a.parquet", "A.NPY"])
def test_every_kind_of_file_holds_the_same_points(path):
    write(path.lower()).rename(path)
    points, missing = read_points(Path(path))
    assert points == pytest.approx(POINTS, abs=1e-6)
    assert points.dtype == np.float64
    assert missing == 0


def test_one_number_a_row_and_whole_numbers_are_points_too():
    np.save("a.npy", np.arange(60))
    assert read_points(Path("a.npy"))[0].shape == (60, 1)


def test_rows_with_a_number_missing_are_left_out_counted_and_told():
    points = POINTS.copy()
    points[3, 1], points[7] = np.nan, np.inf
    task = Points(str(write("a.csv", points)))
    assert task.real().shape == (58, 3)
    assert task.warnings() == ["2 of the 60 rows of a.csv have a number missing or infinite and are left out"]


def test_a_column_that_never_changes_and_uneven_columns_are_told():
    points = POINTS * [1, 0, 1000]
    told = Points(str(write("a.npy", points))).warnings()
    assert told[0] == "column 1 (counted from 0) of a.npy is the same in every row: nothing is to be learned there"
    assert "write standardise: true" in told[1]
    task = Points("a.npy", standardise=True)
    assert task.warnings()[1:] == []
    assert task.real().mean(0).abs().max() < 1e-5
    assert task.real().std(0).tolist() == pytest.approx([1, 0, 1], abs=1e-4)


def test_what_varies_in_its_last_digits_is_kept():
    times = 1.7e9 + np.linspace(0, 60, 400)
    write("times.npy", np.stack([times, times % 7], 1))
    (coarse, *_) = Points("times.npy").warnings()
    assert coarse.startswith("column 0 (counted from 0) of times.npy varies by less than 32-bit numbers")
    task = Points("times.npy", standardise=True)
    assert len(task.real()[:, 0].unique()) == 400
    assert task.undo()(task.real())[:, 0].tolist() == pytest.approx(times.tolist(), abs=1e-4)


def others() -> None:
    np.save("flat.npy", np.zeros((10, 2, 2)))
    np.save("words.npy", np.array(["a"] * 20))
    np.save("things.npy", np.array([{}] * 60, dtype=object), allow_pickle=True)
    np.savez("two.npz", a=POINTS, b=POINTS)
    write("few.npy", POINTS[:49])
    pd.DataFrame({"age": [1.0] * 20, "name": ["x"] * 20}).to_csv("named.csv", index=False)
    Path("torn.parquet").write_bytes(b"PAR1")
    Path("empty.csv").touch()
    Path("points.txt").touch()
    Path("folder").mkdir()
    write("good.npy")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, "points needs a file, {path: FILE}, or one of the toy sets, {shape: ring | grid | spiral | moons}"),
        ({"path": "good.npy", "shape": "ring"}, "not both"),
        ({"shape": "moon"}, 'did you mean "moons"?'),
        ({"path": "nowhere.npy"}, "nowhere.npy: there is no such file"),
        ({"path": "folder"}, "is a folder, not a file of points"),
        ({"path": "points.txt"}, '".txt" is not one of .npy, .npz, .csv, .parquet'),
        ({"path": "flat.npy"}, "float64 of shape (10, 2, 2); points are real numbers, (N, D)"),
        ({"path": "words.npy"}, "points are real numbers"),
        ({"path": "things.npy"}, "cannot be read"),
        ({"path": "two.npz"}, "2 arrays (a, b)"),
        ({"path": "few.npy"}, "49 points of few.npy are whole, but at least 50"),
        ({"path": "named.csv"}, "column name holds something else than numbers"),
        ({"path": "torn.parquet"}, "torn.parquet cannot be read"),
        ({"path": "empty.csv"}, "empty.csv cannot be read"),
        ({"path": "good.npy", "width": 0}, "task_options.width: must be a whole number of at least 1, not 0"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(options, part):
    others()
    with pytest.raises(TaskError) as error:
        check_task(load_task("points", options))
    assert part in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", SHAPES)
def test_toy_sets_are_planes_of_the_same_points_each_time(shape):
    task = Points(shape=shape)
    assert task.real().shape == (10_000, 2)
    assert torch.equal(task.real(), Points(shape=shape).real())
    assert task.warnings() == []
    assert 0.3 < task.real().std() < 4


def test_points_train():
    trainer = Trainer(Points(str(write("a.npy")), width=8), Training(updates=20, batch_size=8))
    for _ in trainer.run():
        pass
    result = trainer.result()
    assert result.samples.shape[1] == 3
    assert set(result.quality) == {"distance", "coverage"}
    assert trainer.task.shown(result.samples) == {"kind": "points"}
