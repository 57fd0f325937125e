from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.arrays import read_points

POINTS = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float64)


@pytest.fixture(autouse=True)
def _working_directory(tmp_path, monkeypatch):
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
    points, warnings = read_points(path)
    assert points == pytest.approx(POINTS, abs=1e-6)
    assert points.dtype == np.float64
    assert warnings == []


def test_one_number_a_row_and_whole_numbers_are_points_too():
    np.save("a.npy", np.arange(60))
    assert read_points("a.npy")[0].shape == (60, 1)


def test_the_first_row_of_numbers_is_a_point_even_where_they_repeat():
    table = np.zeros((60, 3), int)
    np.savetxt("a.csv", table, delimiter=",", fmt="%d")
    assert read_points("a.csv")[0].shape == (60, 3)


def test_rows_with_a_missing_number_are_left_out_with_a_warning():
    points = POINTS.copy()
    points[3, 1], points[7] = np.nan, np.inf
    found, warnings = read_points(str(write("a.csv", points)))
    assert np.array_equal(found, np.delete(POINTS, [3, 7], 0))
    assert warnings == ["2 of 60 rows of a.csv have a number missing or infinite and are left out"]


def write_unusable_files() -> None:
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


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("nowhere.npy", "there is no nowhere.npy"),
        ("folder", "folder holds no .npy, .npz, .csv or .parquet files"),
        ("points.txt", "points.txt is no .npy, .npz, .csv or .parquet file"),
        ("flat.npy", "float64 of shape (10, 2, 2); points are real numbers of shape (N, D)"),
        ("words.npy", "points are real numbers"),
        ("things.npy", "cannot be read"),
        ("two.npz", "2 arrays (a, b)"),
        ("few.npy", "49 points of few.npy have all numbers, but at least 50"),
        ("named.csv", "named.csv: not numbers: name"),
        ("torn.parquet", "torn.parquet cannot be read"),
        ("empty.csv", "empty.csv cannot be read"),
    ],
)
def test_errors_are_one_line(path, part):
    write_unusable_files()
    with pytest.raises(TaskError) as error:
        read_points(path)
    assert part in str(error.value)
    assert "\n" not in str(error.value)
