from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

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
        case "pt":
            torch.save(torch.from_numpy(points), path)
        case "csv":
            table.to_csv(path, index=False, header="bare" not in path)
        case "parquet":
            table.to_parquet(path, index=False)
    return Path(path)


@pytest.mark.parametrize("path", ["a.npy", "a.npz", "a.pt", "a.csv", "bare.csv", "a.parquet", "A.NPY"])
def test_every_kind_of_file_holds_the_same_points(path):
    write(path.lower()).rename(path)
    points, warnings, _ = read_points(path)
    assert points == pytest.approx(POINTS, abs=1e-6)
    assert points.dtype == np.float64
    assert list(warnings) == []


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
    found, warnings, _ = read_points(str(write("a.csv", points)))
    assert np.array_equal(found, np.delete(POINTS, [3, 7], 0))
    assert warnings == ["2 of 60 rows of a.csv have a number missing or infinite and are left out"]


def write_unusable_files() -> None:
    np.save("flat.npy", np.zeros((10, 2, 2)))
    np.save("words.npy", np.array(["a"] * 20))
    np.save("things.npy", np.array([{}] * 60, dtype=object), allow_pickle=True)
    np.savez("things.npz", np.array([{}] * 60, dtype=object), allow_pickle=True)
    torch.save([Path()], "things.pt")
    torch.save({"points": torch.zeros(60, 2)}, "named.pt")
    np.savez("two.npz", a=POINTS, b=POINTS)
    np.save("across.npy", POINTS.T[:2])
    np.save("scalar.npy", np.float64(1))
    np.save("truth.npy", np.ones(60, bool))
    header = np.lib.format.header_data_from_array_1_0(POINTS) | {"shape": (10**9, 3)}
    with Path("lies.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
    write("few.npy", POINTS[:49])
    pd.DataFrame({"age": [1.0] * 60, "name": ["x"] * 60}).to_csv("named.csv", index=False)
    Path("torn.parquet").write_bytes(b"PAR1")
    Path("empty.csv").touch()
    Path("points.txt").touch()
    Path("folder").mkdir()


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("nowhere.npy", "there is no nowhere.npy"),
        ("folder", "folder holds no .npy, .npz, .pt, .csv or .parquet files"),
        ("points.txt", "points.txt is no .npy, .npz, .pt, .csv or .parquet file"),
        ("flat.npy", "float64 of shape (10, 2, 2); points are real numbers of shape (N, D)"),
        ("words.npy", "points are real numbers"),
        ("things.npy", "things.npy holds Python objects, which are not loaded, as they may run any program"),
        ("things.npz", "things.npz holds Python objects"),
        ("things.pt", "things.pt holds Python objects"),
        ("named.pt", "named.pt holds a dict; save the tensor of the points alone"),
        ("lies.npy", "lies.npy cannot be read (ValueError: mmap length"),
        ("across.npy", "2 points of across.npy have all numbers, but at least 50 are needed; a point is a row"),
        ("scalar.npy", "float64 of shape ()"),
        ("truth.npy", "bool of shape (60, 1)"),
        ("two.npz", "2 arrays (a, b)"),
        ("few.npy", "49 points of few.npy have all numbers, but at least 50"),
        ("named.csv", "named.csv: not numbers: name"),
        ("torn.parquet", "torn.parquet cannot be read"),
        ("empty.csv", "0 rows, but at least 50 are needed; the file is empty"),
    ],
)
def test_errors_are_one_line(path, part):
    write_unusable_files()
    with pytest.raises(TaskError) as error:
        read_points(path)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_arrays_of_other_types_are_the_same_points():
    kinds = {"half": np.float16, "single": np.float32, "swapped": ">f8", "whole": np.int16, "unsigned": np.uint8}
    for name, kind in kinds.items():
        np.save(f"{name}.npy", np.asfortranarray((10 * abs(POINTS)).astype(kind)))
        expected = (10 * abs(POINTS)).astype(kind).astype(float)
        assert np.array_equal(read_points(f"{name}.npy").values, expected)
    torch.save(torch.from_numpy(POINTS).bfloat16().requires_grad_(), "brain.pt")
    assert read_points("brain.pt").values == pytest.approx(POINTS, rel=0.01)


def test_what_an_archive_says_of_its_size_is_believed_and_bounded(monkeypatch):
    monkeypatch.setattr("gansearch.gan.readers.arrays.MOST_BYTES", 1_000)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(TaskError, match=f"{name} holds 1,.* bytes of numbers, but 1,000 are the most"):
            read_points(str(write(name)))


def test_a_first_column_without_a_name_that_has_a_gap_is_a_column_of_points():
    table = pd.DataFrame(POINTS.round(3), columns=list("abc"), index=pd.array([None, *range(1, len(POINTS))], "Int64"))
    table.to_csv("gap.csv")
    points, warnings, _ = read_points("gap.csv")
    assert points.shape == (len(POINTS) - 1, 4)
    assert "have a number missing" in warnings[-1]


def test_a_table_as_other_programs_write_it_is_the_same_points():
    table = pd.DataFrame(POINTS.round(3), columns=list("abc"))
    table.to_csv("index.csv")
    table.to_csv("german.csv", sep=";", decimal=",", index=False)
    pd.DataFrame(POINTS.round(3)).to_csv("numbered.csv", index=False)
    table.to_csv("marked.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")
    for name in ("index", "german", "numbered", "marked"):
        assert np.array_equal(read_points(f"{name}.csv").values, POINTS.round(3)), name
    assert read_points("index.csv").warnings == [
        "index.csv: a column without a name counts the rows and is left out: Unnamed: 0"
    ]


def test_integers_with_gaps_in_a_parquet_file_are_rows_that_are_left_out():
    table = pd.DataFrame({"a": pd.array([None, *range(59)], "Int64"), "b": POINTS[:, 0]})
    table.to_parquet("a.parquet")
    points, warnings, _ = read_points("a.parquet")
    assert np.array_equal(points, np.stack([np.arange(59), POINTS[1:, 0]], 1))
    assert warnings == ["1 of 60 rows of a.parquet have a number missing or infinite and are left out"]
