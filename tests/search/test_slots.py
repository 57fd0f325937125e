"""Nodes come and go: how many trials run at once, and which nodes get none."""

import pytest

from gansearch.search import slots as module
from gansearch.search.callbacks.listener import Listener
from gansearch.search.cluster.cluster import Cluster
from gansearch.search.dry_run.fill import Fill
from gansearch.search.dry_run.stack import Stack
from gansearch.search.slots import Slots


class Told(Listener):
    def __init__(self):
        self.events = []

    def resized(self, slots):
        self.events.append(slots)

    def left_out(self, node, why):
        self.events.append((node, why))


@pytest.fixture
def there(monkeypatch):
    """Makes Slots of one node of two CPUs, in a cluster whose nodes (CPUs by id) and answers (by id) may be changed."""
    nodes, answers, blocked = {"first": 2.0}, {}, []
    monkeypatch.setattr(module, "UPDATE_SECONDS", 0)
    monkeypatch.setattr(module, "ask", lambda node, *_: node)
    monkeypatch.setattr(module, "answer", lambda node, seconds: answers.get(node))
    monkeypatch.setattr(module, "placement_group", lambda *given, **options: blocked.append((given, options)))

    def alive():
        return [{"NodeID": n, "NodeManagerAddress": f"at {n}", "Resources": {"CPU": c}} for n, c in nodes.items()]

    monkeypatch.setattr(module, "alive", alive)

    def make(experiment, fill=None, **more):
        told = Told()
        slots = Slots(experiment, Cluster(({"CPU": 2.0, **more},), ("first",)), "experiment.yaml", told, fill)
        return slots, told, nodes, answers, blocked

    return make


def test_a_node_that_joins_is_filled_once_it_has_answered(there, make_tiny):
    slots, told, nodes, answers, _ = there(make_tiny())
    assert (slots.now, slots.wanted) == (2, 3)
    nodes["second"] = 4.0
    slots.update()
    assert slots.now == 2
    assert "second" not in slots.fit
    answers["second"] = ""
    slots.update()
    assert (slots.now, slots.wanted, slots.most) == (6, 7, 6)
    assert "second" in slots.fit
    del nodes["first"]
    slots.update()
    assert (slots.now, slots.most) == (4, 6)
    del nodes["second"]
    slots.update()
    assert slots.now == 4  # a cluster that tells of no node at all has not been reached
    assert told.events == [6, 4]


def test_a_node_that_lacks_something_is_kept_free(there, make_tiny):
    slots, told, nodes, answers, blocked = there(make_tiny(resources={"cpus": 2, "gpus": 0}))
    nodes["bad"], answers["bad"] = 4.0, "does not see /results"
    slots.update()
    slots.update()
    assert slots.now == 1
    assert told.events == [("at bad", "does not see /results")]
    assert blocked == [(([{"CPU": 2.0}],), {"bundle_label_selector": [{"ray.io/node-id": "bad"}]})] * 2


def test_trials_that_share_a_process_have_a_slot_each(make_tiny):
    node = Cluster(({"CPU": 2.0, "GPU": 1.0},), ("first",))
    slots = Slots(make_tiny(), node, "experiment.yaml", Told(), None, Stack(4))
    assert (slots.now, slots.rows, slots.bundle) == (4, 4, {"CPU": 0.25, "GPU": 0.25})
    slots = Slots(make_tiny(resources={"gpus": 0}), node, "experiment.yaml", Told(), None, Stack(4))
    assert (slots.now, slots.bundle) == (8, {"CPU": 0.25})


def test_a_limit_stays_a_limit(there, make_tiny):
    slots, _, nodes, answers, _ = there(make_tiny(limits={"concurrent": 3}))
    nodes["second"], answers["second"] = 4.0, ""
    slots.update()
    assert (slots.now, slots.wanted) == (3, 3)


def test_gpus_are_filled_and_thinned_out_once_for_each_share(there, make_tiny):
    slots, told, *_ = there(make_tiny(resources={"cpus": 0.1, "gpus": "fill"}), Fill(4), GPU=2.0)
    assert (slots.now, slots.bundle) == (8, {"CPU": 0.1, "GPU": 0.25})
    assert slots.thin_out(0.25)
    assert not slots.thin_out(0.25), "another trial of those that were too many"
    assert (slots.fill.at_once, slots.now, slots.bundle["GPU"]) == (3, 6, 0.333)
    assert slots.thin_out(0.333)
    assert slots.thin_out(0.5)
    assert not slots.thin_out(1.0)
    assert (slots.now, told.events, slots.most) == (2, [6, 4, 2], 8)


def test_a_number_that_was_given_stays(there, make_tiny):
    slots, *_ = there(make_tiny(resources={"cpus": 0.1, "gpus": 0.25}), GPU=1.0)
    assert not slots.thin_out(0.25)
    assert slots.now == 4
