"""Documents."""

import json

import numpy as np
import pandas as pd
import pytest

from gansearch.diagnosis.reading import LogError, read_log

FRAME = pd.DataFrame({"step": range(9), "d_loss": np.arange(9) / 10, "g_loss": np.arange(9) / 5, "name": "x"})


def test_a_data_frame():
    log = read_log(FRAME)
    np.testing.assert_allclose(log.games[0].values["d_loss"], FRAME["d_loss"])
    assert (log.file, log.records, log.step_name) == ("the data frame", 9, "step")


def test_blanks_of_a_frame_are_no_nans_but_an_end_without_values_is():
    frame = FRAME.copy()
    frame.loc[::2, "d_loss"] = np.nan
    frame.loc[5:, "g_loss"] = np.nan
    game = read_log(frame).games[0]
    assert game.printed["d_loss"].tolist() == [False, True] * 4 + [False]
    assert game.printed["g_loss"].all()


@pytest.mark.parametrize(
    "value",
    [
        FRAME[["step", "d_loss", "g_loss"]].to_dict("list"),
        FRAME.to_dict("records"),
        {"best": 1, "log_history": FRAME.to_dict("records")},
        {"config": {"a": 1}, "history": FRAME[["step", "d_loss", "g_loss"]].to_dict("list")},
    ],
)
def test_json_documents(tmp_path, value):
    (tmp_path / "a.json").write_text(json.dumps(value, default=int))
    np.testing.assert_allclose(read_log(tmp_path / "a.json").games[0].values["g_loss"], FRAME["g_loss"])


def test_a_notebook(tmp_path):
    text = [f"step {i} d_loss: 0.{i} g_loss: 1.{i}\n" for i in range(9)]
    cells = [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": [{"output_type": "stream", "text": text}]}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    np.testing.assert_allclose(read_log(tmp_path / "a.ipynb").games[0].values["d_loss"], np.arange(9) / 10)


def test_curves_of_a_sweep(tmp_path):
    rows = [
        {"number": number, "seed": seed, "update": 10 * i, "loss_d": number + i / 10, "loss_g": 1.0, "p_real": 0.6}
        for number in range(3)
        for seed in (7, 8)
        for i in range(9)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "curves.parquet")
    for source in (tmp_path, tmp_path / "curves.parquet"):
        log = read_log(source)
        np.testing.assert_allclose(log.games[0].values["d_loss"], 2 + np.arange(9) / 10)
        assert "trial 2 with seed 7" in log.notes[0]
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "curves.parquet")
    with pytest.raises(LogError, match="no columns number"):
        read_log(tmp_path)


@pytest.mark.parametrize(
    ("name", "data"), [("curves.parquet", b"PAR1"), ("a.json", json.dumps({"d_loss": [10**400] * 9}))]
)
def test_what_holds_no_numbers_is_a_sentence(tmp_path, name, data):
    (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(LogError):
        read_log(tmp_path / name)
