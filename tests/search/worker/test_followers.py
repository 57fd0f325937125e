"""The workers beside the first one: what they reserve, and why a group broke off. Sweeps are in test_distributed.py."""

import pytest
from ray.exceptions import WorkerCrashedError

from gansearch.experiment import Resources
from gansearch.search.worker import followers as module
from gansearch.search.worker.followers import Followers, placement, placement_of
from gansearch.search.worker.process import Origin


def test_a_trial_reserves_a_bundle_for_each_worker_on_one_node_unless_it_may_be_on_several():
    groups = [placement(Resources(workers=3, across_nodes=across), {"CPU": 1.0}) for across in (False, True)]
    assert [group.strategy for group in groups] == ["STRICT_PACK", "PACK"]
    assert groups[0].bundles == [{"CPU": 1.0}] * 3


def test_a_config_may_name_another_share_of_a_gpu():
    bundle = {"CPU": 1.0, "GPU": 0.25}
    assert placement_of(Resources(), bundle, {"number": 1}).bundles == [bundle]
    assert placement_of(Resources(), bundle, {"gpus": 0.333}).bundles == [{"CPU": 1.0, "GPU": 0.333}]


@pytest.fixture
def group(monkeypatch):
    """Followers that have all ended, each with what its task returns, or by a death."""

    def get(task):
        if task == "dies":
            raise WorkerCrashedError
        return task

    monkeypatch.setattr(module.ray, "get", get)
    monkeypatch.setattr(module.ray, "wait", lambda tasks, **options: (tasks, []))

    def make(*tasks):
        followers = Followers(Origin("ring", {}))
        followers._tasks = list(tasks)
        return followers

    return make


def test_what_the_users_code_raised_is_the_reason_before_a_death(group):
    assert group("", "dies", "ValueError").why_parted() == (True, "ValueError")
    raised, text = group("", "dies").why_parted()
    assert not raised
    assert "another worker of the trial died" in text
    assert group("", "").why_parted() == (False, "")


def test_only_those_that_still_run_are_ended(group, monkeypatch):
    ended = []
    monkeypatch.setattr(module.ray, "cancel", lambda task, force: ended.append(task))
    monkeypatch.setattr(module.ray, "wait", lambda tasks, **options: (tasks[:1], tasks[1:]))
    group("first", "second").cancel()
    assert ended == ["second"]


def test_a_process_asks_whether_one_has_ended_or_failed(group):
    known = group().known
    assert not known["follower_ended"]()
    assert not known["follower_failed"]()
    assert group("").known["follower_ended"]()
    assert not group("").known["follower_failed"]()
    assert group("ValueError").known["follower_failed"]()
