"""What a trial leaves in its own folder."""

import numpy as np
import pandas as pd
import pytest

from gansearch.store.folder import Folder
from gansearch.store.samples import read_samples
from gansearch.store.trial_files import CURVE_COLUMNS, read_record, read_records, read_trial_curves, write_trial
from tests.synthetic import a_record, pictures


def probe(**fields):
    return {
        **dict.fromkeys(CURVE_COLUMNS, 0.5),
        "number": 3,
        "seed": 0,
        "update": 8,
        "outputs": {"real": [1]},
        **fields,
    }


def test_a_trial_is_whole_once_its_record_is_there(tmp_path):
    folder, record = Folder(tmp_path), a_record(3)
    folder.records.mkdir()
    assert (read_record(folder, 3), read_records(folder)) == (None, [])
    write_trial(folder, record, [probe()], pictures(np.random.default_rng(0), n=2), {"kind": "image"})
    assert read_record(folder, 3) == read_records(folder)[0]
    assert read_record(folder, 3).row.keys() == record.row.keys()
    assert read_samples(folder, 3).kind == "image"
    curves = read_trial_curves(folder, 3)
    assert list(curves.columns) == list(CURVE_COLUMNS)
    assert curves["update"].tolist() == [8]
    (folder.record(3) / "result.json").write_text("{half")
    assert read_records(folder) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[" * 100_000,
        lambda text: text.replace('"number": 4', '"number": 3'),
        lambda text: text.replace('"number": 4', '"number": "4x"'),
        lambda text: text.replace('"status": "', '"status": "no '),
        lambda text: text.replace('"started": "', '"started": "no '),
        lambda text: text.replace('"seeds": [', '"seeds": [7, '),
        lambda text: text.replace("{", "{\x00", 1),
    ],
)
def test_a_record_that_cannot_be_read_costs_itself_alone(tmp_path, damage):
    folder = Folder(tmp_path)
    for number in (3, 4, 5):
        write_trial(folder, a_record(number), [])
    file = folder.record(4) / "result.json"
    file.write_text(damage(file.read_text()))
    assert [record.number for record in read_records(folder)] == [3, 5]
    file.write_bytes(b"\xff\xfe")
    assert [record.number for record in read_records(folder)] == [3, 5]


def test_damaged_curves_are_those_of_the_table_or_empty(tmp_path):
    folder = Folder(tmp_path)
    write_trial(folder, a_record(3), [probe()])
    (folder.record(3) / "curves.parquet").write_bytes(b"half")
    assert read_trial_curves(folder, 3).empty
    pd.DataFrame([probe(update=16)], columns=list(CURVE_COLUMNS)).to_parquet(folder.curves)
    assert read_trial_curves(folder, 3)["update"].tolist() == [16]
    assert read_trial_curves(folder, 4).empty
