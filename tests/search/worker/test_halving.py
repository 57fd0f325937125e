import math

import pytest
from ray._private.state import actors

from gansearch.search.sweep import sweep
from gansearch.search.worker.halving import BY_BOTH, BY_DISTANCE, FEWEST, Rungs, is_behind, rungs_of
from gansearch.store.record import Standing


def test_a_trial_is_stopped_only_where_it_is_behind_in_both():
    others = [Standing(0, 0.5 + i / 100, 10.0 - i) for i in range(9)]
    assert is_behind(Standing(0, 0.4, 20.0), others, 1 / 2, by_distance=False)
    assert not is_behind(Standing(0, 0.4, 0.5), others, 1 / 2, by_distance=False)
    assert not is_behind(Standing(0, 0.9, 20.0), others, 1 / 2, by_distance=False)
    assert not is_behind(Standing(0, 0.55, 5.0), others, 2 / 3, by_distance=False)
    assert is_behind(Standing(0, 0.55, 5.0), others, 1 / 3, by_distance=False)


@pytest.mark.parametrize("standing", [(math.nan, math.nan), (math.nan, 5.0), (0.1, math.nan)])
def test_what_is_no_number_is_behind_everything(standing):
    assert is_behind(Standing(0, *standing), [Standing(0, 0.5, 1.0)] * 8, 1 / 2, by_distance=False)
    assert not is_behind(Standing(0, 0.1, 3.0), [Standing(0, math.nan, math.nan)] * 8, 1 / 2, by_distance=False)


def test_a_rung_stops_nobody_before_it_has_seen_enough():
    rungs = Rungs(by_distance=False)
    for i in range(FEWEST):
        assert rungs.reach(Standing(0, 0.9 - i / 10, 1.0 + i)) == ("", False)
    assert "at 25%" in rungs.reach(Standing(0, 0.1, 50.0))[0]
    assert rungs.reach(Standing(1, 0.1, 50.0)) == ("", True)
    assert rungs.reach(Standing(0, 0.95, 0.5)) == ("", True)


def test_rungs_go_on_from_what_is_known():
    known = [Standing(0, 0.9, 1.0)] * FEWEST
    assert Rungs(True, known).reach(Standing(0, 0.1, 2.0))[0]
    assert not Rungs(True, known[1:]).reach(Standing(0, 0.1, 2.0))[0]


def test_a_trial_that_reaches_a_rung_again_counts_once():
    rungs = Rungs(True, [Standing(0, 0.9, 1.0)] * (FEWEST - 1))
    for _ in range(3):
        assert not rungs.reach(Standing(0, 0.1, 2.0), 7)[0]
    assert rungs.reach(Standing(0, 0.1, 2.0), 8)[0]


@pytest.mark.parametrize("by_distance", [True, False])
def test_equal_trials_are_kept(by_distance):
    rungs = Rungs(by_distance, (Standing(rung, 0.5, 1.0) for rung in range(2) for _ in range(20)))
    assert all(rungs.reach(Standing(rung, 0.5, 1.0)) == ("", False) for rung in range(2))


def test_by_distance_the_best_third_goes_on_however_stable_the_others_are():
    others = [Standing(0, 0.5, 10.0 - i) for i in range(8)]
    assert [is_behind(Standing(0, 0.9, d), others, 1 / 3, by_distance=True) for d in (4.5, 5.5, math.nan)] == [
        False,
        True,
        True,
    ]
    rungs = Rungs(True, [Standing(1, 0.5, 1.0)] * FEWEST)
    reason, nearest = rungs.reach(Standing(1, 0.9, 2.0))
    assert reason.startswith("at 30% of its updates it is outside the best 33% of 7 trials")
    assert not nearest


@pytest.mark.parametrize("by_distance", [True, False])
def test_only_the_one_trial_that_is_nearer_than_all_others_is_the_nearest(by_distance):
    rungs = Rungs(by_distance, [Standing(0, 0.5, math.nan)] * FEWEST)
    assert rungs.reach(Standing(0, 0.9, math.nan)) == ("", False)
    assert rungs.reach(Standing(0, 0.1, 9.0), 4) == ("", True)
    assert rungs.reach(Standing(0, 0.1, 9.0), 4) == ("", True)  # once more, after its worker died
    assert rungs.reach(Standing(0, 0.9, 9.0), 5) == ("", False)
    assert rungs.reach(Standing(0, 0.1, 8.0), 6) == ("", True)


def test_a_trial_is_the_nearest_at_a_rung_to_which_hardly_one_has_come():
    rungs = Rungs(True, [Standing(0, 0.5, 9.0)] * FEWEST)
    assert rungs.reach(Standing(1, 0.5, 1.0), 0) == ("", False)  # too few have come to the first
    assert rungs.reach(Standing(0, 0.5, 8.0), 1) == ("", True)
    assert rungs.reach(Standing(1, 0.5, math.nan), 2) == ("", False)
    assert [rungs.reach(Standing(1, 0.5, d), d) for d in (3.0, 0.9)] == [("", False), ("", True)]


def test_what_is_improved_decides_where_trials_are_stopped(tiny):
    assert rungs_of(tiny()) == rungs_of(tiny(objective="balanced")) == BY_DISTANCE
    for fields in ({"objective": "both"}, {"objective": "stability"}, {"prune": "both"}):
        assert rungs_of(tiny(**fields)) == BY_BOTH


def test_the_rungs_end_with_their_sweep(ray_session, tiny, tmp_path):
    sweep(tiny(trials=2), tmp_path / "out")
    alive = [actor["ActorClassName"] for actor in actors().values() if actor["State"] == "ALIVE"]
    assert not [name for name in alive if "Rungs" in name]
