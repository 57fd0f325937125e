import io

import numpy as np
import pandas as pd
import pytest
import torch

from gansearch.experiment import Experiment, Training
from gansearch.gan import TaskError, Trainer, check_task, load_task
from gansearch.gan.data import data_of
from gansearch.gan.networks import discriminator_of
from gansearch.gan.stacked import refusal


def task_of(frame: pd.DataFrame, folder, **options):
    frame.to_csv(folder / "people.csv", index=False)
    return load_task("table", {"path": str(folder / "people.csv"), **options})


@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
def test_the_tables_of_scikit_learn_train_and_are_decoded(train, name):
    task = load_task("table", {"path": f"sklearn:{name}", "width": 16})
    check_task(task)
    result = train(task)
    assert set(result.quality) == {"samples", "distance", "marginals", "pairs", "two_sample_auc"}
    shown = task.shown(result.samples[:5])
    assert shown["columns"][-1] == "target"
    assert len(shown["rows"]) == 5
    labels = {"malignant", "benign"} if name == "breast_cancer" else {"class_0", "class_1", "class_2"}
    assert {row[-1] for row in shown["rows"]} <= labels


def test_a_real_table_is_decoded_to_its_values(people, tmp_path):
    task = task_of(people, tmp_path)
    shown = task.shown(task.unpacked(task.real()).numpy())
    back = pd.DataFrame(shown["rows"], columns=shown["columns"])
    assert list(back["city"]) == list(people["city"])
    assert list(back["member"]) == list(people["member"])
    assert list(back["age"]) == list(people["age"])
    assert isinstance(shown["rows"][0][0], int)
    assert np.allclose(back["income"], people["income"], atol=0.01)


def test_quality_measures_a_shift_and_a_lost_correlation(people, tmp_path):
    people["tax"] = people["income"] * np.random.default_rng(1).uniform(0.29, 0.31, 200)
    task = task_of(people, tmp_path)
    real = task.unpacked(task.real())
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


def test_the_name_of_a_bundled_table_is_no_relative_path(tmp_path):
    experiment = Experiment.parse({"name": "x", "task": "table", "task_options": {"path": "sklearn:wine"}}, tmp_path)
    assert experiment.task_options["path"] == "sklearn:wine"


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"columns": "age"}, "columns: must be a list of names, not 'age'"),
        ({"categorical": "age"}, "categorical: must be a list of names, not 'age'"),
        ({"separator": ", "}, "separator: must be one character, such as ; or .t, not ', '"),
        ({"separator": "§"}, "separator: must be one character, such as ; or .t, not '§'"),
        ({"header": 1}, "header: must be true or false, not 1"),
        ({"reading": "texst"}, "reading: 'texst' is not one of texts, pandas; did you mean \"texts\""),
        ({"width": 0}, "width: must be above 0, not 0"),
        ({"kinds": "number"}, "kinds: must be a mapping of columns to kinds, not 'number'"),
        ({"encoding": "score"}, "encoding: 'score' is not one of kinds, scores; did you mean \"scores\""),
    ],
)
def test_errors_name_the_option(options, part):
    with pytest.raises(TaskError, match=part):
        load_task("table", options)


def test_check_tells_what_columns_are_taken_for(people, tmp_path):
    task = task_of(people.assign(planet="Earth"), tmp_path)
    lines = task.described()
    assert lines[0] == "age: a number in steps of 1"
    assert lines[-2:] == [
        "planet: always Earth",
        "task_options.kinds: {COLUMN: number, choice or identifier} changes it",
    ]


def test_the_encoding_of_earlier_folders(people, tmp_path, train):
    people.loc[:8, "income"] = np.nan
    task = task_of(people.assign(planet="Earth"), tmp_path, encoding="scores", width=8)
    assert task.described() == []
    assert task.unpacked(task.real()).shape == (191, 7)
    assert set(train(task).quality) == {"samples", "distance", "marginals", "pairs", "two_sample_auc"}


def test_held_out_rows_are_the_same_each_time(people, tmp_path):
    first, second = (data_of(task_of(people, tmp_path), torch.device("cpu")) for _ in range(2))
    torch.rand(3)
    assert torch.equal(first.held_out, second.held_out)
    assert len(first.held_out) == 40


def test_the_reading_of_earlier_folders(tmp_path):
    draws = np.random.default_rng(0)
    rows = [f"{draws.choice(['None', 'B', 'NA', 'C'])},{draws.normal()}\n" for _ in range(80)]
    (tmp_path / "a.csv").write_text("kind,age\n" + "".join(rows))
    old, new = (load_task("table", {"path": str(tmp_path / "a.csv"), "reading": name}) for name in ("pandas", "texts"))
    assert old.described()[0] == "kind: a choice of 2 and a gap"
    assert new.described()[0] == "kind: a choice of 4"
    assert old.sample_files(np.zeros((2, sum(old._rows.widths)))) == {}


def test_what_is_read_and_which_rows_are_copies_is_told(people, tmp_path):
    frame = pd.concat([people, people.head(30)]).assign(city=lambda table: table["city"].replace("Riga", "None"))
    warnings = task_of(frame, tmp_path).warnings()
    assert len(warnings) == 2
    assert "'None' is read as a value, no gap, among texts: city (" in warnings[0]
    assert warnings[1].startswith("30 of 230 rows are copies of others")


def test_samples_are_in_a_file_such_as_the_tables(people, tmp_path):
    text = people.to_csv(index=False, sep=";", decimal=",", float_format="%.2f")
    (tmp_path / "a.csv").write_text(text, encoding="utf-16")
    task = load_task("table", {"path": str(tmp_path / "a.csv")})
    samples = task.unpacked(task.real()).numpy()
    assert task.sample_files(samples)["samples.csv"].decode("utf-16") == text
    people.to_parquet(tmp_path / "a.parquet", index=False)
    task = load_task("table", {"path": str(tmp_path / "a.parquet")})
    made = task.sample_files(task.unpacked(task.real()).numpy())["samples.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(made)), people, rtol=1e-9)


def test_names_may_be_numbers(tmp_path):
    (tmp_path / "a.csv").write_text(
        "place,2019,2020\n" + "".join(f"{'DF'[n % 2]},{n * 7 % 50},{n}\n" for n in range(60))
    )
    options = {"columns": ["place", 2019, 2020], "kinds": {2019: "choice"}, "categorical": [2020]}
    task = load_task("table", {"path": str(tmp_path / "a.csv"), **options})
    assert task.described()[1:3] == ["2019: a choice of 50", "2020: a choice of 60"]


@pytest.mark.parametrize("ema", [0.9, 0.9999])
def test_the_averaged_generator_makes_whole_rows(people, tmp_path, train, ema):
    task = task_of(people[["city", "member"]], tmp_path, width=8)
    samples = train(task, updates=400, ema=ema).samples
    assert np.allclose(samples[:, :3].sum(1), 1, atol=1e-5)
    assert np.allclose(samples[:, 3:].sum(1), 1, atol=1e-5)


def test_a_pack_of_rows_gets_one_score(people, tmp_path, train):
    task = task_of(people, tmp_path, width=16)
    scores = discriminator_of(task, packing=4)(task.unpacked(task.real())[:10])
    assert scores.shape == (10, 1)
    assert len(set(scores.flatten().tolist())) == 3
    assert train(task, packing=4).status == "complete"


def test_trees_tell_rows_whose_columns_do_not_go_together_and_name_the_columns(tmp_path):
    draws = np.random.default_rng(0)
    age = draws.integers(18, 90, 2_000)
    frame = pd.DataFrame({"age": age, "pension": (age > 65).astype(int), "pay": draws.lognormal(10, 1, 2_000).round(2)})
    task = task_of(frame, tmp_path, kinds={"pension": "choice"})
    real = data_of(task, torch.device("cpu")).held_out
    sound = task.observe(real[::2], real[1::2])
    assert not sound.tells
    fake = real.clone()
    fake[:, -1] = -3.0  # the lowest pay of all
    told = task.observe(real, fake)
    assert told.tells
    assert told.by == "boosted trees"
    assert "pay" in told.evidence


def test_rows_have_the_condition_that_is_asked_for_as_often_as_the_data(people, tmp_path):
    task = task_of(people, tmp_path, condition="city", width=8)
    check_task(task)
    data = data_of(task, torch.device("cpu"))
    assert task.class_names() == sorted(people["city"].unique())
    trainer = Trainer(task, Training(updates=8, batch_size=16, loss="relativistic", packing=2), seed=0)
    for _ in trainer.run():
        pass
    names = np.array(task.class_names())
    for samples, labels in ((trainer.samples(40), trainer.conditions(40)), (data.held_out, data.conditions[0])):
        rows = task.shown(samples.numpy())
        cities = [row[rows["columns"].index("city")] for row in rows["rows"]]
        assert cities == names[labels].tolist()
    every = torch.cat([trainer._conditions(500)[0] for _ in range(8)])
    shares = people["city"].value_counts(normalize=True).sort_index().to_numpy()
    assert torch.bincount(every).numpy() / len(every) == pytest.approx(shares, abs=0.06)
    assert {"distance", "class_distance"} <= trainer.result().quality.keys()


def test_seeds_of_a_table_with_a_condition_are_trained_at_once_or_say_why(people, tmp_path):
    task = task_of(people, tmp_path, condition="member", width=8)
    reason = refusal([Trainer(task, Training(updates=8, batch_size=16), seed) for seed in (0, 1)])
    plain = task_of(people, tmp_path, width=8)
    assert reason == refusal([Trainer(plain, Training(updates=8, batch_size=16), seed) for seed in (0, 1)])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"condition": "citty"}, 'condition: the table has no column citty; did you mean "city"'),
        ({"condition": "city", "kinds": {"city": "identifier"}}, "condition: city must be a choice, not 'identifier'"),
        ({"condition": "city", "encoding": "scores"}, "condition: is not for encoding: scores"),
        ({"condition": "same"}, "condition: same is the same in all rows"),
        ({"condition": "city", "columns": ["age", "income"]}, "condition: the table has no column city"),
    ],
)
def test_a_condition_that_cannot_be_is_told(people, tmp_path, options, problem):
    people["same"] = 1
    with pytest.raises(TaskError, match=problem):
        check_task(task_of(people, tmp_path, **options))
