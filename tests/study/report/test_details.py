"""The details of a trial whose row is chosen."""

from __future__ import annotations

import math
from dataclasses import replace

from gansearch.experiment import Choices
from gansearch.store.trial_files import read_record, write_record
from gansearch.study.report import details
from gansearch.study.report.details import details_of
from gansearch.study.study import Study, load_study
from tests.synthetic import write_study


def test_a_trial_has_its_settings_its_sentence_and_short_curves(study: Study) -> None:
    number = int(study.trials["number"].iloc[3])
    found = details_of(study, [number])[number]
    assert found["section"] == "training"
    assert set(found["params"]) <= set(study.experiment.search)
    assert found["params"]["lr"] == study.trials.set_index("number").at[number, "lr"]
    assert found["sentence"]
    curves = found["curves"]
    assert {len(column) for column in curves.values()} == {len(curves["update"])}
    measured = study.curves.query(f"number == {number}")["distance"].notna().sum()
    assert sum(value is not None for value in curves["distance"]) == measured


def test_null_is_a_setting_where_it_was_a_choice(study: Study, monkeypatch) -> None:
    number = int(study.trials["number"].iloc[3])
    search = {**study.experiment.search, "augment": Choices(choices=[None, "ada"])}
    monkeypatch.setitem(study.__dict__, "experiment", study.experiment.model_copy(update={"search": search}))
    monkeypatch.setitem(study.__dict__, "trials", study.trials.assign(augment=None, lr=math.nan))
    params = details_of(study, [number])[number]["params"]
    assert params["augment"] is None
    assert "lr" not in params


def test_many_trials_have_none(study: Study, monkeypatch) -> None:
    monkeypatch.setattr(details, "MOST", 2)
    numbers = study.trials["number"].tolist()
    assert list(details_of(study, numbers)) == numbers[:2]


def test_a_trial_without_curves_has_empty_ones(study: Study, monkeypatch) -> None:
    number = int(study.trials["number"].iloc[0])
    monkeypatch.setitem(study.__dict__, "curves", study.curves.iloc[:0])
    assert details_of(study, [number])[number]["curves"] == {}


def test_curves_keep_their_updates_and_a_sentence_is_of_the_seed_that_has_the_verdict(tmp_path) -> None:
    folder = write_study(tmp_path / "s", trials=1, only="oscillating", replicas=2)
    record = read_record(folder, 0)
    assert record
    first, second = (replace(seed, sentence=name) for seed, name in zip(record.seeds, ("well", "ill"), strict=True))
    write_record(folder, replace(record, seeds=(replace(first, verdict="balanced"), second)))
    study = load_study(folder.path)
    study.curves["update"] += 123_456
    found = details_of(study, [0])[0]
    assert found["curves"]["update"][0] == study.curves["update"].min()
    assert found["sentence"] == "ill"
