"""The runs that the prior is made of."""

from gansearch.search.sampling.recorded import recorded_runs


def test_every_run_has_its_task_and_the_numbers_of_its_balance():
    runs = recorded_runs()
    assert len({run["task"] for run in runs}) >= 3
    for run in runs:
        assert {"lr", "lr_ratio", "lr_d", "lr_g", "pretrain_steps", "update_ratio"} <= run["params"].keys()
