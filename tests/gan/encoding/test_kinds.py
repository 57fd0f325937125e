import numpy as np
import pandas as pd
import pytest
import torch

from gansearch.gan import TaskError
from gansearch.gan.encoding.kinds import MOST_CHOICES, Rows, check_choices
from gansearch.gan.readers.tables import read_table

COUNT = 400
COUNTRIES = {"Bonn": "D", "Kiel": "D", "Oslo": "N", "Riga": "LV"}


def visits() -> pd.DataFrame:
    draws = np.random.default_rng(0)
    start, days = draws.integers(0, 900, COUNT), draws.integers(1, 60, COUNT)
    costs = np.where(draws.random(COUNT) < 0.4, 0, draws.lognormal(4, 1, COUNT)).round(2)
    cities = draws.choice(list(COUNTRIES), COUNT)
    blood = draws.normal(120, 15, COUNT).round(1)
    blood[:80] = np.nan
    kind = draws.integers(0, 3, COUNT)
    return pd.DataFrame(
        {
            "visit_id": draws.permutation(COUNT) + 5_000,
            "study": "north",
            "from": (pd.Timestamp("2020-01-01") + pd.to_timedelta(start, "D")).strftime("%d.%m.%Y"),
            "days": days,
            "to": (pd.Timestamp("2020-01-01") + pd.to_timedelta(start + days, "D")).strftime("%d.%m.%Y"),
            "city": cities,
            "country": [COUNTRIES[city] for city in cities],
            "costs": costs,
            "blood": blood,
            "measured": ~np.isnan(blood),
            "rash": (kind == 1).astype(int),
            "fever": (kind == 2).astype(int),
            "name": [f"patient {n:04}" for n in draws.permutation(COUNT)],
        }
    )


def rows_of(frame: pd.DataFrame, folder, kinds=None) -> Rows:
    frame.to_csv(folder / "a.csv", index=False)
    return Rows(read_table(str(folder / "a.csv"), kinds=kinds).frame, kinds or {})


def test_each_column_is_taken_for_what_it_is(tmp_path):
    said = dict(line.split(": ", 1) for line in rows_of(visits(), tmp_path).described())
    assert said["visit_id"] == "an identifier, written as 5000 and on"
    assert said["name"] == "an identifier, written as patient 0001 and on"
    assert said["study"] == "always north"
    assert said["to"] == "computed: from + days"
    assert said["country"] == "computed: goes with city"
    assert said["measured"] == "computed: goes with blood"
    assert said["rash"] == said["fever"] == "computed: goes with rash/fever"
    assert said["rash/fever"] == "a choice of 3"
    assert said["city"] == "a choice of 4"
    assert said["costs"].startswith("a number in steps of 0.01, or 0.0 (39")
    assert said["blood"].startswith("a number in steps of 0.1, or a gap (20.0%)")
    assert said["from"].startswith("a date")


def test_a_table_is_written_as_it_is_read(tmp_path):
    frame = visits()
    rows = rows_of(frame, tmp_path)
    back = rows.write(rows.unpack(torch.from_numpy(rows.stored)).numpy())
    back.to_csv(tmp_path / "b.csv", index=False)
    real, made = (pd.read_csv(tmp_path / name, dtype=str) for name in ("a.csv", "b.csv"))
    numbered = ["visit_id", "name"]
    pd.testing.assert_frame_equal(made.drop(columns=numbered), real.drop(columns=numbered))
    assert list(made) == list(real)
    assert made["visit_id"].tolist()[:2] == ["5000", "5001"]


def test_made_up_rows_keep_functions_bounds_and_formats(tmp_path):
    rows = rows_of(visits(), tmp_path)
    samples = torch.randn(500, sum(rows.widths), generator=torch.Generator().manual_seed(0)) * 2
    made = rows.write(samples.numpy())
    days = [pd.to_datetime(made[name], format="%d.%m.%Y") for name in ("from", "to")]
    assert ((days[1] - days[0]).dt.days == made["days"]).all()
    assert made["days"].between(1, 59).all()
    assert (made["country"] == made["city"].map(COUNTRIES)).all()
    assert (made["measured"] == made["blood"].notna()).all()
    assert (made["rash"] + made["fever"]).max() == 1
    assert made["visit_id"].is_unique
    assert {type(value) for value in made["days"]} == {int}


def test_equal_numbers_get_other_ranks_each_time(tmp_path):
    rows = rows_of(visits()[["days", "costs"]], tmp_path)
    stored = torch.from_numpy(rows.stored)
    one, other = rows.unpack(stored), rows.unpack(stored)
    assert not torch.equal(one, other)
    assert rows.write(one.numpy()).equals(rows.write(other.numpy()))
    days = torch.cat([rows.unpack(stored) for _ in range(20)])[:, 0]
    assert float(days.mean()) == pytest.approx(0, abs=0.03)
    assert float(days.std()) == pytest.approx(1, abs=0.03), "normal, whatever the ties"
    assert float(one[stored[:, 3] > 0][:, -1].abs().max()) == 0, "the number is 0 behind another choice"


def test_a_users_word_counts(tmp_path):
    frame = visits()
    kinds = {"visit_id": "number", "city": "choice", "country": "choice", "rash": "number", "days": "choice"}
    said = dict(line.split(": ", 1) for line in rows_of(frame, tmp_path, kinds).described())
    assert said["visit_id"] == "a number in steps of 1"
    assert said["country"] == "a choice of 3"
    assert said["days"] == "a choice of 59"
    assert said["rash"].startswith("a number, 2 different")
    for kinds, part in [
        ({"town": "choice"}, "kinds.town: the table has no such column"),
        ({"city": "nmber"}, "kinds.city: 'nmber' is not one of number, choice, identifier; did you mean \"number\""),
        ({"city": "number"}, "kinds.city: '.*' is neither a number nor a date"),
    ]:
        with pytest.raises(TaskError, match=part):
            rows_of(frame, tmp_path, kinds)


def test_many_texts_are_learned_and_numbers_with_strays_are_errors(tmp_path):
    draws = np.random.default_rng(0)
    frame = pd.DataFrame({"town": [f"t{n}" for n in draws.integers(0, 90, COUNT)], "x": draws.normal(size=COUNT)})
    rows = rows_of(frame, tmp_path)
    assert rows.described()[0] == "town: a text, 90 different"
    with pytest.raises(TaskError, match="columns: 'x' holds numbers but for 1 text such as 'old'"):
        rows_of(frame.astype({"x": object}).assign(x=[*frame["x"][:-1], "old"]), tmp_path)
    with pytest.raises(TaskError, match="has no column to learn"):
        rows_of(pd.DataFrame({"id": range(COUNT)}), tmp_path)


def test_whole_numbers_that_all_differ_need_a_name_or_an_order_to_be_identifiers(tmp_path):
    draws = np.random.default_rng(0)
    income = draws.permutation(COUNT) * 7 + 20_000
    rows = rows_of(pd.DataFrame({"income": income, "key": income, "age": draws.integers(18, 90, COUNT)}), tmp_path)
    assert set(rows.identifiers) == {"key"}
    assert rows.identifiers["key"].write(2) == [int(income.max()) + 1, int(income.max()) + 2]


def test_long_numbers_that_differ_go_on_after_the_largest(tmp_path):
    cards = [10**21 + 7 * n for n in range(COUNT)]
    rows = rows_of(pd.DataFrame({"card": cards, "x": np.random.default_rng(0).normal(size=COUNT)}), tmp_path)
    assert rows.identifiers["card"].write(1) == [str(max(cards) + 1)]


def test_identifiers_have_zeros_in_front_where_all_are_of_one_length(tmp_path):
    draws = np.random.default_rng(0).normal(size=COUNT)
    frame = pd.DataFrame({"a": [f"c{n}" for n in range(COUNT)], "b": [f"c{n:04}" for n in range(COUNT)], "x": draws})
    rows = rows_of(frame, tmp_path)
    assert [rows.identifiers[name].write(1) for name in "ab"] == [["c1"], ["c0001"]]


def test_texts_whose_place_numbers_take_are_named(tmp_path):
    draws = np.random.default_rng(0).normal(size=COUNT)
    frame = pd.DataFrame(
        {"key": [f"c{n:05}" for n in range(COUNT)], "remark": [f"{x} of it" for x in draws], "x": draws}
    )
    assert rows_of(frame, tmp_path).replaced == ["remark"]


def test_a_user_may_say_that_a_column_of_numbers_and_texts_is_a_choice(tmp_path):
    codes = ["101"] * (COUNT - 5) + ["A7"] * 5
    frame = pd.DataFrame({"code": codes, "x": np.random.default_rng(0).normal(size=COUNT)})
    with pytest.raises(TaskError, match=r"'code' holds numbers but for 5 texts such as 'A7'.*kinds: \{code: choice\}"):
        rows_of(frame, tmp_path)
    assert rows_of(frame, tmp_path, {"code": "choice"}).described()[0] == "code: a choice of 2"


def test_a_choice_between_thousands_is_refused():
    frame = pd.DataFrame({"customer": [f"c{n:05}" for n in range(12_000)], "x": range(12_000)})
    check_choices(frame.head(MOST_CHOICES), {"customer": "choice", "x": "number"})
    with pytest.raises(
        TaskError, match=r"kinds\.customer: 'customer' has 12,000 different values, and a choice at most 1,000"
    ):
        check_choices(frame, {"customer": "choice"})


def test_nothing_is_computed_in_a_wide_table():
    draws = np.random.default_rng(0).normal(size=(60, 30)).round(3)
    frame = pd.DataFrame(np.concatenate([draws, draws * 2], 1)).add_prefix("g").convert_dtypes()
    assert len(Rows(frame, {}).functions) == 30
    wide = Rows(frame, {}, widest=50)
    assert wide.is_wide
    assert not wide.functions


def test_copies_of_rows_are_counted_without_their_numbers(tmp_path):
    frame = pd.DataFrame({"id": range(COUNT), "x": np.arange(COUNT) // 2 + 0.5})
    assert rows_of(frame, tmp_path).copies == COUNT // 2
