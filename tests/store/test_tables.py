"""The tables of a sweep, made of the records."""

import pandas as pd
import pytest

from gansearch.store import tables
from gansearch.store.record import GPU, trial_columns
from gansearch.store.tables import other_columns, read_curves, read_trials, write_tables
from gansearch.store.trial_files import CURVE_COLUMNS, read_records, read_trial_curves
from tests.synthetic import SEARCH, write_study


@pytest.fixture
def folder(tmp_path):
    return write_study(tmp_path, trials=5, confirmed=False, samples=False)


def test_records_that_a_table_lacks_are_read_with_it(folder):
    whole, curves = read_trials(folder, SEARCH), read_curves(folder)
    write_tables(folder, SEARCH, read_records(folder)[:2])
    assert pd.read_parquet(folder.trials)["number"].tolist() == [0, 1]
    pd.testing.assert_frame_equal(read_trials(folder, SEARCH), whole)
    pd.testing.assert_frame_equal(read_curves(folder), curves)
    assert list(whole.columns) == trial_columns(SEARCH)
    assert other_columns(whole) == ["r1_gamma"]


def test_curves_are_written_part_by_part(folder, monkeypatch):
    before = folder.curves.read_bytes()
    monkeypatch.setattr(tables, "_AT_ONCE", 2)
    write_tables(folder, SEARCH, reversed(read_records(folder)))
    assert pd.read_parquet(folder.trials)["number"].tolist() == [0, 1, 2, 3, 4]
    parts = pd.read_parquet(folder.curves)
    assert list(parts.columns) == list(CURVE_COLUMNS)
    folder.curves.write_bytes(before)
    pd.testing.assert_frame_equal(parts, pd.read_parquet(folder.curves))


def test_a_sweep_without_a_trial_has_empty_tables(tmp_path):
    folder = write_study(tmp_path, trials=0, confirmed=False)
    for path in (folder.trials, folder.curves):
        path.unlink()
    assert list(read_trials(folder, SEARCH).columns) == trial_columns(SEARCH)
    assert read_trials(folder, SEARCH)["ended"].max() is pd.NaT
    assert read_curves(folder).empty


def test_trials_of_an_earlier_version_lack_the_columns_of_gpus(folder):
    table = pd.read_parquet(folder.trials)
    table.drop(columns=list(GPU)).to_parquet(folder.trials, index=False)
    found = read_trials(folder, SEARCH)
    assert list(found.columns) == trial_columns(SEARCH)
    assert found[list(GPU)].isna().all(axis=None)


def test_curves_of_an_earlier_version_lack_the_last_columns(folder):
    write_tables(folder, (), read_records(folder))
    for file in (folder.curves, *folder.path.glob("trials/*/curves.parquet")):
        later = ["r_t", "augment_p", "held_out_gap", "reconstruction"]
        pd.read_parquet(file).drop(columns=later).to_parquet(file, index=False)
    assert list(read_curves(folder).columns) == list(CURVE_COLUMNS)
    write_tables(folder, (), read_records(folder))
    assert read_curves(folder)["r_t"].isna().all()


@pytest.mark.parametrize("lost", ["stability", "lr", "lr_g", "train_seconds", "started"])
def test_a_table_that_lacks_a_column_or_has_another_is_read_as_its_records(folder, lost):
    whole = read_trials(folder, ["lr"])
    table = pd.read_parquet(folder.trials)
    table.rename(columns={lost: "\x1b[2J"}).to_parquet(folder.trials, index=False)
    pd.testing.assert_frame_equal(read_trials(folder, ["lr"]), whole, check_dtype=False)
    table.assign(strange=1.5).to_parquet(folder.trials, index=False)
    assert list(read_trials(folder, ["lr"]).columns) == list(whole.columns)


def test_what_is_none_of_a_column_s_values_is_missing_or_the_table_is_broken(folder):
    table = pd.read_parquet(folder.trials)
    lists = pd.Series([[None]] * len(table))
    table.assign(pretrain_steps=True, started=lists, verdict=lists).to_parquet(folder.trials, index=False)
    assert read_trials(folder, SEARCH)[["pretrain_steps", "started", "verdict"]].isna().all(axis=None)
    for name in ("status", "number"):
        table.assign(**{name: lists}).to_parquet(folder.trials, index=False)
        with pytest.raises(ValueError, match=r"no trial ends as|numbers of the trials"):
            read_trials(folder, SEARCH)


def test_curves_of_texts_are_no_curves(folder):
    pd.read_parquet(folder.curves).assign(p_fake="x").to_parquet(folder.curves, index=False)
    with pytest.raises(ValueError, match="its column p_fake holds no numbers"):
        read_curves(folder)


def test_curves_without_their_updates_are_no_curves(folder):
    whole = read_curves(folder)
    table = pd.read_parquet(folder.curves)
    table.drop(columns="update").to_parquet(folder.curves, index=False)
    with pytest.raises(ValueError, match="it has no column update"):
        read_curves(folder)
    table.to_parquet(folder.curves, index=False)
    own = folder.record(0) / "curves.parquet"
    pd.read_parquet(own).drop(columns="update").to_parquet(own, index=False)
    assert read_trial_curves(folder, 0)["update"].tolist() == whole.loc[whole["number"] == 0, "update"].tolist()
