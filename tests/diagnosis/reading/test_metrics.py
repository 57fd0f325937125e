"""Metrics in files of their own."""

import json

import numpy as np
import pytest

from gansearch.diagnosis.reading import LogError, read_log

STATS = "".join(
    json.dumps({"Loss/D/loss": {"num": 1, "mean": i / 10, "std": 0}, "Loss/G/loss": 1, "Progress/kimg": 40 * i}) + "\n"
    for i in range(9)
)


def test_metrics_of_stylegan(tmp_path):
    (tmp_path / "stats.jsonl").write_text(STATS)
    rows = [{"results": {"fid50k_full": 400 - k}, "snapshot_pkl": f"network-snapshot-{k:06}.pkl"} for k in (0, 200)]
    (tmp_path / "metric-fid50k_full.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    log = read_log(tmp_path)
    found = log.metrics["fid50k_full"]
    assert {float(log.steps[i]): float(found[i]) for i in np.flatnonzero(~np.isnan(found))} == {0: 400, 200: 200}
    assert log.notes == ("fid50k_full is read from metric-fid50k_full.jsonl.",)


def test_metrics_of_biggan_and_beside_a_table(tmp_path):
    (tmp_path / "a.csv").write_text("itr,d_loss,g_loss\n" + "".join(f"{i * 10},0.{i},1.{i}\n" for i in range(9)))
    (tmp_path / "a_log.jsonl").write_text('{"itr": 35, "IS_mean": 4.5, "FID": 30.5}\n{"itr": 999, "FID": nan}\nbroken')
    (tmp_path / "a.kid.csv").write_text("itr,kid\n20,0.5\n30,0.4\n")
    log = read_log(tmp_path / "a.csv")
    assert np.flatnonzero(log.metrics["FID"] == 30.5).tolist() == [3]
    assert np.flatnonzero(~np.isnan(log.metrics["kid"])).tolist() == [2, 3]
    assert set(log.metrics) == {"IS_mean", "FID", "kid"}


@pytest.mark.parametrize("results", ["[1, 2]", "null", '"none"'])
def test_results_that_are_no_object_hold_no_metric(tmp_path, results):
    (tmp_path / "stats.jsonl").write_text(STATS)
    (tmp_path / "eval_log.jsonl").write_text(f'{{"itr": 40, "results": {results}, "FID": 30.5}}\n')
    assert np.flatnonzero(read_log(tmp_path / "stats.jsonl").metrics["FID"] == 30.5).tolist() == [1]


def test_a_log_without_losses_names_the_one_beside_it(tmp_path):
    (tmp_path / "stats.jsonl").write_text(STATS)
    (tmp_path / "log.txt").write_text("".join(f"tick {i} kimg {i * 4}.0 augment 0.012\n" for i in range(9)))
    with pytest.raises(LogError, match=r"stats\.jsonl beside it may have them"):
        read_log(tmp_path / "log.txt")
