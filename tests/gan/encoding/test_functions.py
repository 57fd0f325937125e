import numpy as np
import pandas as pd
import pytest

from gansearch.gan.encoding.forms import form_of
from gansearch.gan.encoding.functions import Lookup, decimals_of, exclusive, formulas, lookups, plain

DRAWS = np.random.default_rng(0)
CITIES = {"Bonn": "Germany", "Kiel": "Germany", "Oslo": "Norway", "Riga": "Latvia"}


def found_lookups(frame: pd.DataFrame) -> dict:
    forms = {name: form for name in frame if (form := form_of(frame[name]))}
    numbers = {name: form.numbers(frame[name]) for name, form in forms.items()}
    return {lookup.name: lookup for lookup in lookups(dict(frame.items()), forms, numbers, set(frame))}


def found_formulas(**columns) -> dict:
    frame = pd.DataFrame(columns)
    forms = {name: form_of(frame[name]) for name in frame}
    numbers = {name: forms[name].numbers(frame[name]) for name in frame}
    functions = {formula.name: formula for formula in formulas(forms, numbers, set(frame))}
    for name, formula in functions.items():
        computed = formula.compute({other: plain(frame[other]) for other in frame})
        assert computed == plain(frame[name]), str(formula)
    return functions


def test_a_column_that_goes_with_another_is_looked_up():
    cities = DRAWS.choice(list(CITIES), 400)
    frame = pd.DataFrame(
        {"city": cities, "country": [CITIES[c] for c in cities], "luck": DRAWS.choice(["a", "b"], 400)}
    )
    lookup = found_lookups(frame)
    assert list(lookup) == ["country"]
    assert lookup["country"].compute({"city": ["Kiel", "Riga"]}) == ["Germany", "Latvia"]
    assert str(lookup["country"]) == "goes with city"


def test_ranges_of_numbers_and_gaps_decide_too():
    numbers = DRAWS.integers(0, 900, 1_000).astype(float)
    numbers[DRAWS.random(1_000) < 0.3] = np.nan
    frame = pd.DataFrame({"days": numbers, "seen": ~np.isnan(numbers), "late": np.where(numbers > 500, "y", "n")})
    lookup = found_lookups(frame)
    assert set(lookup) == {"seen", "late"}
    assert lookup["seen"].compute({"days": [None, 17.5]}) == [False, True]
    assert lookup["late"].compute({"days": [None, 17.5, 890.25]}) == ["n", "n", "y"]


def test_dates_and_times_decide_by_the_nearest_one_too():
    days = pd.date_range("2015-01-01", periods=900).to_series(index=range(900))
    minutes = DRAWS.permutation(np.arange(900) + 270)
    frame = pd.DataFrame(
        {
            "day": days.dt.strftime("%Y-%m-%d"),
            "year": days.dt.year,
            "clock": [f"{m // 60}:{m % 60:02}" for m in minutes],
        }
    )
    frame["half"] = np.where(minutes < 720, "am", "pm")
    lookup = found_lookups(frame)
    assert lookup["year"].compute({"day": ["2013-05-01", "2016-02-03", "2019-01-01"]}) == [2015, 2016, 2017]
    assert lookup["half"].compute({"clock": ["0:10", "11:58", "23:00"]}) == ["am", "am", "pm"]


def test_what_is_the_same_by_chance_is_no_function():
    rare = np.zeros(400, int)
    rare[3] = 1
    frame = pd.DataFrame({"id": DRAWS.permutation(400), "coin": DRAWS.integers(0, 2, 400), "rare": rare})
    assert found_lookups(frame) == {}


def test_one_row_in_a_thousand_may_differ():
    frame = pd.DataFrame({"city": np.repeat(["Bonn", "Oslo"], 1_000), "country": np.repeat(["D", "N"], 1_000)})
    frame.loc[0, "country"] = "N"
    assert set(found_lookups(frame)) == {"country"}
    frame.loc[:9, "country"] = "N"
    assert found_lookups(frame) == {}


@pytest.mark.parametrize(
    ("compute", "operation"),
    [
        (lambda a, b: (a + 60 * b).round(2), "sum"),
        (lambda a, b: (a - b).round(2), "sum"),
        (lambda a, b: (a * b).round(2), "product"),
        (lambda a, b: (b / a).round(5), "quotient"),
        (lambda a, b: (2.2046 * a).round(1), "sum"),
        (lambda a, b: np.log(a).round(6), "log"),
    ],
)
def test_formulas_are_found_and_computed(compute, operation):
    a, b = DRAWS.lognormal(3, 1, 300).round(2), DRAWS.integers(1, 9, 300)
    functions = found_formulas(a=a, b=b, c=compute(a, b), other=DRAWS.normal(size=300))
    assert [formula.operation for formula in functions.values()] == [operation]


def test_an_end_is_computed_of_a_start_and_a_duration():
    start = DRAWS.integers(0, 5_000, 200)
    length = DRAWS.integers(1, 900, 200)
    days = [(pd.Timestamp(0) + pd.to_timedelta(n, "D")).strftime("%d-%m-%Y") for n in (start, start + length)]
    functions = found_formulas(start=days[0], end=days[1], length=length)
    assert list(functions) in (["start"], ["end"])
    assert len(next(iter(functions.values())).sources) == 2


def test_numbers_without_an_equation_have_no_formula():
    a = DRAWS.normal(size=200).round(3)
    assert found_formulas(a=a, b=(a + DRAWS.normal(0, 0.01, 200)).round(3), c=DRAWS.integers(0, 3, 200)) == {}


def test_columns_that_exclude_each_other_are_grouped():
    which = DRAWS.integers(0, 4, 400)
    columns = {name: (which == i).astype(float) for i, name in enumerate("abc")}
    coin = DRAWS.integers(0, 2, 400).astype(float)
    assert exclusive({**columns, "coin": coin}) == [["a", "b", "c"]]
    assert exclusive({"rare": np.eye(400)[0], "coin": coin}) == []


def test_decimals():
    assert [decimals_of(np.array(values)) for values in ([1.0, 2.0], [0.25], [1e-7], [0.1 + 0.2], [np.pi], [1e16])] == [
        0,
        2,
        7,
        1,
        None,
        None,
    ]


def test_nothing_goes_with_a_gap_that_the_table_has_not():
    lookup = Lookup("size", "length", {1: "short", 9: "long"}, form_of(pd.Series([1, 9])))
    assert lookup.compute({"length": [None, 1, 7]}) == [None, "short", "long"]
