import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import gansearch
from gansearch.diagnosis.diagnosis import Diagnosis, side_by_side, split_loss
from gansearch.diagnosis.reading import LogError
from gansearch.diagnosis.training_log import ROLES
from tests.diagnosis.logs import game_of, log_of, noisy


def printed(path, d_loss, g_loss):
    lines = (f"Loss_D: {d:.4f} Loss_G: {g:.4f}\n" for d, g in zip(d_loss, g_loss, strict=True))
    path.write_text("".join(f"[0/1][{step}/{len(d_loss)}] {line}" for step, line in enumerate(lines)))
    return path


def test_a_log_is_diagnosed_by_its_path(tmp_path):
    path = printed(tmp_path / "train.log", np.r_[noisy(0.6, 100), np.full(100, 100.0)], noisy(1.0))
    diagnosis = gansearch.diagnose(path, loss="bce-sum")
    assert isinstance(diagnosis, gansearch.Diagnosis)
    assert not diagnosis.is_fine
    data = diagnosis.to_json()
    assert list(data) == ["file", "records", "loss", "columns", "findings", "unknown"]
    assert (data["file"], data["records"], data["loss"]) == (str(path), 200, "bce")
    assert data["columns"] == {"d_loss": "Loss_D", "g_loss": "Loss_G"}
    assert {tuple(finding) for finding in data["findings"]} == {("kind", "grade", "since", "text")}
    assert [finding["kind"] for finding in data["findings"]] == ["frozen", "generator_dominates"]
    assert data["findings"][0]["since"] == 100
    json.dumps(data, allow_nan=False)
    assert str(diagnosis) == diagnosis.summary()


def test_a_table_is_diagnosed_with_the_loss_and_the_columns_that_the_user_names(tmp_path):
    table = tmp_path / "table.csv"
    pd.DataFrame({"one": noisy(0.03, spread=0.001), "two": noisy(4.0)}).to_csv(table, index=False)
    columns = {"d_loss": "one", "g_loss": "two"}
    unknown = gansearch.diagnose(table, columns=columns, loss="hinge")
    assert [finding.kind for finding in unknown.findings] == ["discriminator_saturated"]
    for loss, fine in (("bce-mean", False), ("bce-sum", False), ("lsgan-mean", True)):
        assert gansearch.diagnose(table, columns=columns, loss=loss).is_fine is fine


def test_a_data_frame_and_a_table_of_metrics_are_read(tmp_path):
    table = pd.DataFrame({"kimg": [0, 400, 800], "fid50k_full": [418.0, 60.9, 41.3]})
    table.to_csv(tmp_path / "fid.csv", index=False)
    for source in (table, tmp_path / "fid.csv"):
        assert [finding.kind for finding in gansearch.diagnose(source).findings] == ["trend"]


def test_what_cannot_be_read_is_an_error_of_one_line(tmp_path):
    for call in (
        lambda: gansearch.diagnose(tmp_path / "none.log"),
        lambda: gansearch.diagnose(printed(tmp_path / "a.log", [1.0], [1.0]), loss="bse-mean"),
        lambda: gansearch.diagnose(printed(tmp_path / "a.log", [1.0], [1.0]), columns={"d_los": "Loss_D"}),
    ):
        with pytest.raises(LogError) as error:
            call()
        assert "\n" not in str(error.value)
        assert error.value.exit_status == 2


def test_of_several_games_all_are_named():
    games = game_of(name="A", d_loss=noisy(0.9)), game_of("lsgan", "mean", "B", d_loss=noisy(0.002, spread=0.0001))
    diagnosis = Diagnosis.of(log_of(*games))
    assert diagnosis.loss == "bce, lsgan"
    assert diagnosis.to_json()["findings"][0]["text"].startswith("B: Loss_D")


def test_a_page_and_a_card(tmp_path):
    diagnosis = Diagnosis.of(log_of(d_loss=noisy(0.9), g_loss=noisy(1.0)))
    assert diagnosis.is_fine
    assert "<svg" in diagnosis.page(tmp_path / "page.html").read_text()
    assert side_by_side([diagnosis, diagnosis], tmp_path / "two.html").read_text().count("<main>") == 2
    assert "Nothing that this log" in diagnosis._repr_html_()


@pytest.mark.parametrize(
    ("text", "split"),
    [("bce", ("bce", None)), ("BCE-sum", ("bce", "sum")), ("wgan-gp", ("wgan-gp", None)), (None, (None, None))],
)
def test_a_loss_may_say_what_it_is_of_its_halves(text, split):
    assert split_loss(text) == split


def test_it_is_imported_without_the_heavy_libraries():
    heavy = "torch", "ray", "matplotlib", "plotly", "jinja2", "pandas", "optuna"
    code = f"import sys, gansearch; gansearch.diagnose; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.filterwarnings("error")
def test_any_numbers_are_judged_without_an_error_or_a_warning(tmp_path):
    draw = np.random.default_rng(0)
    for count in (1, 2, 9, 51, 200) * 8:
        columns = {}
        for role in draw.choice([*ROLES], 6, replace=False):
            column = draw.choice([np.exp(draw.normal(0, 9, count)), np.zeros(count), draw.random(count)])
            column[draw.random(count) < draw.choice([0, 0.5, 1])] = draw.choice([np.nan, np.inf, 100.0, -1.0])
            columns[str(role)] = column
        loss, halves = draw.choice([None, "bce", "hinge", "lsgan", "wgan"]), draw.choice([None, "sum", "mean"])
        diagnosis = Diagnosis.of(log_of(loss=loss, halves=halves, **columns))
        assert diagnosis.summary()
        json.dumps(diagnosis.to_json(), allow_nan=False)
        diagnosis.page(tmp_path / "page.html")
