from dataclasses import replace
from math import inf, nan

import pytest

from gansearch.diagnosis.rules.metrics import broken, metric_of, trend
from tests.diagnosis.logs import log_of


@pytest.mark.parametrize(
    ("name", "values", "grade"),
    [
        ("fid50k_full", [300.0, -4.0, 20.0], "proven"),
        ("FID", [300.0, 1e57], "likely"),
        ("inception_score", [0.4, 2.0], "proven"),
        ("precision", [0.4, 1.3], "proven"),
    ],
)
def test_values_that_a_metric_cannot_have(name, values, grade):
    (found,) = broken(log_of(metrics={name: values}))
    assert (found.kind, found.grade) == ("metric_broken", grade)


@pytest.mark.parametrize(
    ("name", "values"), [("fid", [2000.0, 30.0]), ("kid", [0.1, -0.001]), ("IS_mean", [1.0, 8.0]), ("val_loss", [-4.0])]
)
def test_values_that_it_can_have(name, values):
    assert list(broken(log_of(metrics={name: values}))) == []


def test_a_metric_that_is_infinite_in_the_end_is_broken():
    log = log_of(metrics={"fid": [300.0, inf, 90.0, nan, inf, inf], "psnr": [30.0] * 5 + [inf]})
    (found,) = broken(replace(log, broken_metrics=("fid", "psnr")))
    assert (found.kind, found.grade, found.since) == ("metric_broken", "proven", 40.0)
    assert found.text == "fid is inf from step 40 to the end: of finite samples it is finite."


def test_a_trend_is_a_note_and_says_where_the_best_was():
    (found,) = trend(log_of(metrics={"fid": [400.0, 90.0, 30.0, 150.0]}))
    assert (found.kind, found.grade, found.since) == ("trend", "note", 20.0)
    assert found.text == "fid went from 400 (step 0) to its best value, 30 (step 20), and back to 150 at the end."
    (found,) = trend(log_of(metrics={"inception_score": [2.0, 3.0]}))
    assert found.text == "inception_score went from 2 (step 0) to 3 (step 10), its best value."


def test_names_are_told_apart():
    assert metric_of("metrics/is50k") is not None
    assert metric_of("noise") is None
    assert metric_of("discriminator") is None
