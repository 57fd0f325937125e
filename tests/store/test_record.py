"""The record of a trial: made of its seeds, written as plain data, and read from those of other versions."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from gansearch.stability.result import SeedResult
from gansearch.store.nan_json import from_json, to_json
from gansearch.store.record import (
    GPU,
    Segment,
    Standing,
    TrialRecord,
    parse,
    parse_record,
    scheduled,
    trial_columns,
    trial_record,
)
from tests.synthetic import SEARCH, START, experiment

PARAMS = {"lr": 1e-3, "lr_ratio": 4.0, "pretrain_steps": 5, "update_ratio": 2.0, "r1_gamma": 0.1}


def seed(number=0, **fields):
    known = {"verdict": "balanced", "stability": 0.8, "distance": 2.0, "updates": 40, "train_seconds": 1.0, **fields}
    return SeedResult(seed=number, **known)


def record(*seeds, **fields):
    return trial_record(
        7, experiment(), PARAMS, seeds, started=START, ended=START + timedelta(seconds=9), node="n", **fields
    )


def test_numbers_are_medians_and_the_verdict_is_the_worst():
    made = record(seed(0, stability=0.9), seed(1, stability=0.5, verdict="oscillating"), seed(2, distance=math.nan))
    assert (made.status, made.verdict) == ("complete", "oscillating")
    assert (made.stability, made.stability_spread) == (0.8, pytest.approx(0.4))
    assert (made.distance, made.distance_spread) == (2.0, 0.0)
    assert (made.updates, made.train_seconds) == (120, 3.0)
    assert (made.params["lr_d"], made.params["lr_g"]) == (pytest.approx(2e-3), pytest.approx(5e-4))


def test_what_a_trial_took_of_gpus_is_recorded_and_missing_in_records_of_earlier_versions():
    made = record(seed(), gpu={"gpu_seconds": 10.0, "gpu_memory": 2e9})
    read = parse_record(from_json(to_json(made.as_dict())))
    assert (read.gpu_seconds, read.gpu_memory) == (10.0, 2e9)
    assert math.isnan(read.gpu_utilisation)
    data = from_json(to_json(record(seed()).as_dict()))
    for name in GPU:
        del data["row"][name]
    assert math.isnan(parse_record(data).gpu_seconds)


@pytest.mark.parametrize(
    ("seeds", "error", "status"),
    [
        ([seed(status="pruned")], "", "pruned"),
        ([seed(status="pruned"), seed(status="failed", error="diverged: x")], "", "failed"),
        ([seed()], "the judge is out", "failed"),
        ([], "the judge is out", "failed"),
    ],
)
def test_a_failed_seed_fails_its_trial_and_a_pruned_one_prunes_it(seeds, error, status):
    made = record(*seeds, error=error)
    assert made.status == status
    assert made.error == (error or ("diverged: x" if status == "failed" else ""))
    assert made.verdict == (None if status == "pruned" or not seeds else "balanced")


def test_bytes_that_are_no_text_become_escapes_when_the_record_is_made():
    """The name of a file in Latin-1 is in an error, in a quality's name or in a parameter."""
    name = "caf\udce9"
    made = record(seed(error=name, sentence=name, quality={name: 1.0}, verdicts={name: "balanced"}), error=name)
    made = replace(made, params={**made.params, "sound": [name]})
    assert (made.error, made.params["sound"]) == ("caf\\udce9", ["caf\\udce9"])
    assert made.seeds[0].quality == {"caf\\udce9": 1.0}
    assert "udce9" in str(made.seeds[0]).encode().decode()
    assert parse_record(from_json(to_json(made.as_dict()))).error == made.error


def test_a_record_of_an_earlier_version_with_such_bytes_can_be_read():
    text = to_json(record(seed(), error="caf?").as_dict()).replace("?", "\\udce9")
    assert parse_record(from_json(text)).error == "caf\\udce9"


def test_a_record_is_its_data_and_back():
    schedule = (Segment(0, 1e-3, 1e-3, update_ratio=1.0), Segment(20, 1e-3, 5e-4, update_ratio=2.0))
    made = record(seed(quality={"fid": math.inf}), standings=[Standing(0, 0.5, math.nan)], schedule=schedule)
    text = to_json(made.as_dict())
    data = from_json(text)
    assert list(data) == ["row", "seeds", "standings", "schedule"]
    assert list(data["row"]) == trial_columns(SEARCH)
    assert "target_separability" not in data["schedule"][0]
    assert to_json(parse_record(data).as_dict()) == text
    assert "schedule" not in record(seed()).as_dict()


def test_fields_of_other_versions_are_left_out_or_have_defaults():
    data = from_json(to_json(record(seed()).as_dict()))
    data["seeds"][0] |= {"later": 1}
    for name in ("verdicts", "referee_gap"):
        del data["seeds"][0][name]
    del data["standings"], data["row"]["stability_spread"]
    old = parse_record(data | {"later": {}})
    assert (old.seeds[0].verdicts, old.standings) == ({}, ())
    assert math.isnan(old.seeds[0].referee_gap)
    assert math.isnan(old.row["stability_spread"])


@pytest.mark.parametrize("data", [[], {}, {"row": {}}, {"row": {"started": "x", "ended": "y"}, "seeds": []}])
def test_what_is_no_record_is_a_value_error(data):
    with pytest.raises(ValueError):
        parse_record(data)


def test_a_seed_without_its_verdict_is_none():
    with pytest.raises(ValueError, match="verdict"):
        parse(SeedResult, {"seed": 1, "stability": 0.5, "distance": 1.0})


def test_a_schedule_takes_the_place_of_the_rates():
    segments = [Segment(0, 1e-3, 2e-3, target_separability=0.8), Segment(30, 1e-4, 2e-3, target_separability=0.6)]
    found = scheduled(PARAMS, segments)
    assert "lr" not in found
    assert (found["lr_d"], found["lr_g"], found["target_separability"]) == (1e-3, 2e-3, 0.8)
    assert found["schedule"] == [{"after": 30, "lr_d": 1e-4, "lr_g": 2e-3, "target_separability": 0.6}]
    assert scheduled(PARAMS, []) == PARAMS


def test_a_record_cannot_be_changed():
    made = record(seed())
    with pytest.raises(AttributeError):
        made.status = "failed"
    assert replace(made, status="failed").row["status"] == "failed"
    assert TrialRecord.from_row(made.row).row == made.row


def test_a_stopped_trial_is_not_called_balanced():
    stopped = record(seed(0, status="pruned", stability=0.8))
    assert (stopped.status, stopped.verdict, stopped.stability) == ("pruned", None, 0.8)
    assert record(seed(0, status="pruned", verdict="collapsed")).verdict == "collapsed"
    assert record(seed(0)).verdict == "balanced"
