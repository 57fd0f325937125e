"""What progress.json may hold."""

import time

import pytest

from gansearch.store.progress_file import parse_progress

WHOLE = {"written": time.time(), "every": 2.0, "host": "here", "pid": 1, "state": "running", "slots": 2}
TRIAL = {"number": 1, "started": 1.0, "heard": 2.0, "updates": 10, "updates_per_second": None, "probe": None}
PROBE = dict.fromkeys(("p_real", "p_fake", "separability", "saturated_right", "saturated_wrong"), 0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"every": 1e9},
        {"every": 0},
        {"written": 1e300},
        {"written": float("nan")},
        {"written": None},
        {"state": "exploded"},
        {"host": 5},
        {"slots": -1},
        {"running": [{**TRIAL, "number": "one"}]},
        {"running": [{**TRIAL, "heard": "\x1b[2J"}]},
        {"running": [{**TRIAL, "probe": {"seed": 1}}]},
        {"running": {"a": 1}},
        {"nodes": [{"node": "a", "cpus": 1, "gpus": 0}]},
        {"nodes": [1]},
        {"confirmation": []},
        {"in_turn": "text"},
        {"left_out": ["a"]},
    ],
)
def test_what_is_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)) if "nodes" not in wrong else "node"):
        parse_progress({**WHOLE, **wrong})


def test_what_a_sweep_writes_is_kept():
    facts = {**WHOLE, "running": [TRIAL], "nodes": [{"node": "a", "cpus": 1, "gpus": 0}], "used": {"CPU": 1, "GPU": 0}}
    parsed = parse_progress(facts)
    assert {name: parsed[name] for name in WHOLE} == WHOLE
    assert parsed["running"][0].items() >= TRIAL.items()
    script = {**TRIAL, "updates": 2.25, "probe": {**PROBE, "seed": 0, "update": 2.25}}  # in its epochs
    assert parse_progress({**WHOLE, "running": [script]})["running"][0]["probe"]["update"] == 2.25
    for data in ([], None, "text", {}):
        with pytest.raises(ValueError, match=r"."):
            parse_progress(data)
