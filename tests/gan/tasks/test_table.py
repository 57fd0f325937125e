import numpy as np
import pandas as pd
import pytest
import torch

from gansearch.experiment import Experiment, Training
from gansearch.gan import TaskError, Trainer, check_task, load_task
from gansearch.gan.readers.columns import Categorical, Numeric
from gansearch.gan.readers.tables import read_table


@pytest.fixture
def people() -> pd.DataFrame:
    draws = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": draws.integers(18, 90, 200),
            "income": draws.lognormal(10, 1, 200).round(2),
            "city": draws.choice(["Bonn", "Oslo", "Riga"], 200),
            "member": draws.choice([True, False], 200),
        }
    )


def task_of(frame: pd.DataFrame, folder, **options):
    frame.to_csv(folder / "people.csv", index=False)
    return load_task("table", {"path": str(folder / "people.csv"), **options})


@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
def test_the_tables_of_scikit_learn_train_and_are_shown_in_their_own_values(name):
    task = load_task("table", {"path": f"sklearn:{name}", "width": 16})
    check_task(task)
    trainer = Trainer(task, Training(updates=10))
    for _ in trainer.run():
        pass
    result = trainer.result()
    assert result.status == "complete"
    assert set(result.quality) == {"distance", "marginals", "pairs", "two_sample_auc"}
    shown = task.shown(result.samples[:5])
    assert shown["columns"][-1] == "target"
    assert len(shown["rows"]) == 5
    labels = {"malignant", "benign"} if name == "breast_cancer" else {"class_0", "class_1", "class_2"}
    assert {row[-1] for row in shown["rows"]} <= labels


def test_a_real_table_comes_back_as_it_was(people, tmp_path):
    task = task_of(people, tmp_path)
    shown = task.shown(task.real().numpy())
    back = pd.DataFrame(shown["rows"], columns=shown["columns"])
    assert list(back["city"]) == list(people["city"])
    assert list(back["member"]) == list(people["member"])
    assert list(back["age"]) == list(people["age"])
    assert isinstance(shown["rows"][0][0], int)
    assert np.allclose(back["income"], people["income"], atol=0.01)


def test_parquet_and_other_separators(people, tmp_path):
    people.astype({"age": "Int64"}).to_parquet(tmp_path / "a.parquet")
    people.to_csv(tmp_path / "a.csv", index=False, sep=";")
    tables = [
        read_table(str(tmp_path / "a.parquet"), None, (), ","),
        read_table(str(tmp_path / "a.csv"), None, (), ";"),
    ]
    assert tables[0].rows.equals(tables[1].rows.astype(tables[0].rows.dtypes))
    with pytest.raises(TaskError, match=r"task_options\.separator: ',' finds a single column"):
        read_table(str(tmp_path / "a.csv"), None, (), ",")


def test_numbers_become_normal_scores_without_outliers():
    values = pd.Series([1.5, 2.5, 2.5, 1e9])
    column = Numeric("x", values)
    scores = column.encode(values)[:, 0]
    assert scores == pytest.approx([-1.150, 0, 0, 1.150], abs=1e-3)
    assert column.decode(np.array([[-9.0], [0.0], [9.0]])) == [1.5, 2.5, 1e9]


def test_a_missing_category_is_one_of_its_own():
    values = pd.Series(["b", None, "a"])
    column = Categorical("x", values)
    assert column.categories == ["a", "b", None]
    assert column.decode(column.encode(values)) == ["b", None, "a"]


def test_rows_that_lack_a_number_and_constant_columns_are_left_out_and_told(people, tmp_path):
    people["planet"] = "Earth"
    people.loc[:8, "income"] = np.nan
    people.loc[9, "income"] = np.inf
    people.loc[:3, "city"] = None
    task = task_of(people, tmp_path)
    assert len(task.real()) == 190
    assert task.warnings() == [
        "the column planet has always the same value, and is left out",
        "10 of 200 rows lack a number in income; left out",
    ]


def test_few_different_numbers_are_categories_and_others_where_they_are_named(people, tmp_path):
    people["children"] = np.arange(200) % 4
    widths = [column.width for column in task_of(people, tmp_path)._table.columns]
    assert widths == [1, 1, 3, 2, 4]
    people["decade"] = people["age"] // 10
    columns = task_of(people, tmp_path, columns=["decade", "income"], categorical=["decade"])._table.columns
    assert [column.width for column in columns] == [people["decade"].nunique(), 1]


def test_quality_sees_a_shift_and_a_lost_correlation(people, tmp_path):
    people["tax"] = people["income"] * 0.3
    task = task_of(people, tmp_path)
    real = task.real()
    same, shifted, mixed = real[1::2], real[1::2].clone(), real[1::2].clone()
    shifted[:, 0] += 1
    mixed[:, 1] = mixed[torch.randperm(100, generator=torch.Generator().manual_seed(0)), 1]
    qualities = [task.quality(real[::2], fake) for fake in (same, shifted, mixed)]
    assert qualities[1]["marginals"] > qualities[0]["marginals"] + 0.1
    assert qualities[2]["pairs"] > qualities[0]["pairs"] + 0.05
    assert qualities[0]["two_sample_auc"] < 0.65
    assert qualities[2]["two_sample_auc"] > qualities[0]["two_sample_auc"] + 0.1


def test_fakes_have_one_category_and_gradients():
    task = load_task("table", {"path": "sklearn:wine", "width": 8})
    generator = task.generator()
    fake = generator(torch.randn(16, 64))
    assert torch.allclose(fake[:, -3:].max(1).values, torch.ones(16))
    fake[:, -3].sum().backward()
    assert float(generator[2].weight.grad.abs().sum()) > 0


@pytest.mark.parametrize(
    ("change", "options", "part"),
    [
        (lambda t: t, {"columns": ["agee"]}, r"columns: the table has no column 'agee'; did you mean \"age\""),
        (lambda t: t, {"categorical": ["town"]}, "categorical: the table has no column 'town'; it has age, income"),
        (lambda t: t, {"columns": "age"}, "columns: must be a list of names, not 'age'"),
        (lambda t: t.assign(day="2024-03-01"), {}, None),  # constant, and so left out
        (lambda t: t.assign(day=pd.date_range("2024", periods=200)), {}, "columns: 'day' holds dates"),
        (lambda t: t.assign(id=[f"n{i}" for i in range(200)]), {}, "columns: 'id' holds 200 different texts"),
        (
            lambda t: t.assign(age=[*t["age"][:-1], "old"]),
            {},
            "columns: 'age' holds numbers but for 1 texts such as 'old'",
        ),
        (lambda t: t.head(20), {}, "path: 20 rows .* at least 50 are needed"),
        (lambda t: t.assign(age=1)[["age"]], {}, "has no column whose values differ"),
    ],
)
def test_what_cannot_be_learned_is_told(people, tmp_path, change, options, part):
    if part is None:
        check_task(task_of(change(people), tmp_path, **options))
        return
    with pytest.raises(TaskError, match=part):
        check_task(task_of(change(people), tmp_path, **options))


@pytest.mark.parametrize(
    ("content", "part"),
    [(b"", "cannot be read: No columns"), (b'a,b\n1,2\n1,2,3,"', "cannot be read"), (b"\xff\xfe\x00\xd8", "cannot")],
)
def test_a_file_that_is_no_table_is_told(tmp_path, content, part):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(TaskError, match=r"task_options\.path: .*a\.csv " + part):
        check_task(load_task("table", {"path": str(tmp_path / "a.csv")}))
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(TaskError, match=r"task_options\.path: .*a\.parquet cannot be read"):
        check_task(load_task("table", {"path": str(tmp_path / "a.parquet")}))


def test_a_bundled_table_that_is_not_there_is_told_with_a_suggestion():
    with pytest.raises(TaskError, match="brings no table 'wnie'; did you mean \"wine\""):
        check_task(load_task("table", {"path": "sklearn:wnie"}))


def test_the_name_of_a_bundled_table_is_no_relative_path(tmp_path):
    experiment = Experiment.parse({"name": "x", "task": "table", "task_options": {"path": "sklearn:wine"}}, tmp_path)
    assert experiment.task_options["path"] == "sklearn:wine"
