"""Files of a results folder that were damaged from outside."""

import pytest

from gansearch.store.archive import RECORDS_LOG
from gansearch.store.repair import log_record, repair
from gansearch.store.tables import write_tables
from gansearch.store.trial_files import read_record, read_records
from gansearch.study.study import load_study
from tests.synthetic import write_study


@pytest.fixture
def folder(tmp_path):
    folder = write_study(tmp_path / "digits", trials=6, confirmed=False)
    for number in range(6):
        log_record(folder, read_record(folder, number))
    return folder


def test_a_record_that_cannot_be_read_is_in_the_log(folder):
    record = folder.record(2) / "result.json"
    before = record.read_text()
    with (folder.path / RECORDS_LOG).open("a") as log:  # a full disk
        log.write('\n{"row": {"number": 2, "sta')
    log_record(folder, read_record(folder, 3))
    for content in ("", before[:200]):
        record.write_text(content)
        (folder.record(3) / "result.json").write_text("")
        repair(folder)
        assert record.read_text() == before
        assert read_record(folder, 3).number == 3


def test_a_log_that_was_cut_off_gets_its_lines_again_before_a_record_is_damaged(folder):
    log = folder.path / RECORDS_LOG
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 3])
    repair(folder)
    record = folder.record(4) / "result.json"
    before = record.read_text()
    record.write_text("")
    repair(folder)
    assert record.read_text() == before
    size = log.stat().st_size
    repair(folder)
    assert log.stat().st_size == size


def test_tables_that_cannot_be_read_are_made_of_the_records(folder):
    whole = load_study(folder.path)
    assert len(whole.trials) == 6
    for table in (folder.trials, folder.curves):
        table.write_bytes(table.read_bytes()[:-100])
    repair(folder)
    found = load_study(folder.path)
    assert found.trials["number"].tolist() == whole.trials["number"].tolist()
    assert len(found.curves) == len(whole.curves) > 0


def test_a_trial_s_damaged_curves_are_taken_from_the_table(folder):
    study = load_study(folder.path)
    curves = study.curves
    (folder.record(1) / "curves.parquet").write_bytes(b"PAR1")
    write_tables(folder, study.experiment.search, read_records(folder))
    assert load_study(folder.path).curves.equals(curves)


def test_curves_that_are_damaged_everywhere_are_those_of_one_trial_less(folder):
    curves = load_study(folder.path).curves
    (folder.record(1) / "curves.parquet").write_bytes(b"PAR1")
    folder.curves.unlink()
    assert set(load_study(folder.path).curves["number"]) == set(curves["number"]) - {1}
