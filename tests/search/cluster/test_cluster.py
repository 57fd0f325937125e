"""How many trials fit at once, and what is refused."""

import pytest

from gansearch.experiment import Resources
from gansearch.search.cluster.cluster import Cluster, cluster
from gansearch.search.errors import RayFailed, SweepError

CPUS = Cluster(({"CPU": 4.0}, {"CPU": 2.0}))
GPUS = Cluster(({"CPU": 8.0, "GPU": 2.0}, {"CPU": 2.0, "GPU": 1.0}))
MIXED = Cluster(
    (
        {"CPU": 8.0, "GPU": 4.0, "memory": 16e9, "accelerator_type:H100": 1.0},
        {"CPU": 8.0, "GPU": 4.0, "memory": 64e9, "accelerator_type:A100": 1.0, "fast_disk": 3.0},
        {"CPU": 5.0, "memory": 8e9, "node:192.0.2.2": 1.0},
    )
)


@pytest.mark.parametrize(
    ("nodes", "resources", "slots"),
    [
        (CPUS, {}, 6),
        (CPUS, {"cpus": 1.5}, 3),
        (CPUS, {"cpus": 0.5}, 12),
        (CPUS, {"cpus": 4}, 1),
        (CPUS, {"cpus": 0.1}, 60),
        (GPUS, {}, 3),
        (GPUS, {"gpus": 0.0}, 10),
        (GPUS, {"gpus": 0.5}, 6),
        (GPUS, {"gpus": 0.4}, 6),
        (GPUS, {"gpus": 0.1, "cpus": 2}, 5),
        (CPUS, {"workers": 2}, 3),
        (CPUS, {"workers": 3}, 1),
        (CPUS, {"workers": 3, "across_nodes": True}, 2),
        (CPUS, {"workers": 2, "cpus": 1.5}, 1),
        (GPUS, {"gpus": 2}, 1),
        (GPUS, {"workers": 2}, 1),
        (GPUS, {"gpus": 3, "across_nodes": True}, 1),
        (MIXED, {"gpus": 4}, 2),
        (MIXED, {"gpus": 2, "accelerator_type": "H100"}, 2),
        (MIXED, {"gpus": 2, "custom": {"fast_disk": 0.5}}, 2),
        (MIXED, {"gpus": 0, "custom": {"fast_disk": 1}}, 3),
        (MIXED, {"gpus": 0, "memory": "10GB"}, 7),
        (MIXED, {"gpus": 2, "memory": "8GB"}, 3),
    ],
)
def test_slots(nodes, resources, slots):
    assert nodes.slots(Resources(**resources)) == slots


def test_auto_is_one_gpu_where_there_is_any():
    assert CPUS.gpus_of_trial(Resources()) == 0
    assert GPUS.gpus_of_trial(Resources()) == 1
    assert GPUS.gpus_of_trial(Resources(gpus=0.25)) == 0.25


def test_the_error_for_a_trial_that_does_not_fit_lists_the_nodes():
    with pytest.raises(SweepError, match="the cluster has no GPU; write gpus: 0"):
        CPUS.slots(Resources(gpus=1.0))
    with pytest.raises(SweepError, match=r"\(4 CPUs and 0 GPUs\), \(2 CPUs and 0 GPUs\)"):
        CPUS.slots(Resources(cpus=5))


@pytest.mark.parametrize(
    ("nodes", "resources", "message"),
    [
        (GPUS, {"gpus": 4}, "resources.gpus: 4 asked for, but the cluster has 3"),
        (GPUS, {"gpus": 3}, "a trial of 3 workers, each with 1 CPUs and 1 GPUs fits on no node"),
        (GPUS, {"gpus": 3}, "across_nodes: true"),
        (CPUS, {"workers": 7, "across_nodes": True}, "fits not even on all nodes together"),
        (MIXED, {"accelerator_type": "H10"}, "resources.accelerator_type: no node has 'H10'; did you mean \"H100\""),
        (CPUS, {"accelerator_type": "H100"}, "no node has 'H100'; there are: none"),
        (MIXED, {"custom": {"fast_disc": 1}}, 'resources.custom.fast_disc: no node has this .*mean "fast_disk"'),
        (CPUS, {"custom": {"tpu": 1}}, "they have: none of their own"),
        (MIXED, {"custom": {"fast_disk": 4}}, "and 4 fast_disk fits on no node"),
        (MIXED, {"memory": "100GB"}, r"and 100 GB fits on no node; there is .*16 GB\), \(.*64 GB\)"),
    ],
)
def test_the_error_says_which_resource_is_missing(nodes, resources, message):
    with pytest.raises(SweepError, match=message):
        nodes.slots(Resources(**resources))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nonsense"])
def test_an_address_where_nothing_answers_is_refused_at_once(address, monkeypatch):
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with pytest.raises(SweepError, match=f"--address {address}: no Ray cluster answers"), cluster(address):
        pass


def test_the_error_of_a_ray_that_does_not_start_is_one_sentence(monkeypatch):
    def init(**options):
        raise Exception("The current node timed out\nduring startup.")

    monkeypatch.setattr("ray.init", init)
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with pytest.raises(
        RayFailed, match="; it may have too much to do: The current node timed out during startup"
    ) as raised:
        cluster().__enter__()
    assert raised.value.exit_status == 1
