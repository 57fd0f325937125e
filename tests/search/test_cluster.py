"""How many trials fit at once, and what is refused."""

import pytest

from gansearch.experiment import Resources
from gansearch.search.cluster import Cluster, cluster
from gansearch.search.errors import RayFailed, SweepError

CPUS = Cluster(({"CPU": 4.0}, {"CPU": 2.0}))
GPUS = Cluster(({"CPU": 8.0, "GPU": 2.0}, {"CPU": 2.0, "GPU": 1.0}))


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
    ],
)
def test_slots(nodes, resources, slots):
    assert nodes.slots(Resources(**resources)) == slots


def test_auto_is_one_gpu_where_there_is_any():
    assert CPUS.gpus_of_trial(Resources()) == 0
    assert GPUS.gpus_of_trial(Resources()) == 1
    assert GPUS.gpus_of_trial(Resources(gpus=0.25)) == 0.25


def test_what_does_not_fit_is_refused_with_what_there_is():
    with pytest.raises(SweepError, match="the cluster has no GPU; write gpus: 0"):
        CPUS.slots(Resources(gpus=1.0))
    with pytest.raises(SweepError, match="4 CPUs and 0 GPUs, 2 CPUs and 0 GPUs"):
        CPUS.slots(Resources(cpus=5))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nonsense"])
def test_an_address_where_nothing_answers_is_refused_at_once(address, monkeypatch):
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with pytest.raises(SweepError, match=f"--address {address}: no Ray cluster answers"), cluster(address):
        pass


def test_a_ray_that_does_not_start_is_told_in_a_sentence(monkeypatch):
    def init(**options):
        raise Exception("The current node timed out\nduring startup.")

    monkeypatch.setattr("gansearch.search.cluster.ray.init", init)
    monkeypatch.setattr("gansearch.search.cluster.ray.is_initialized", lambda: False)
    with pytest.raises(RayFailed, match="overloaded or full: The current node timed out during startup") as raised:
        cluster().__enter__()
    assert raised.value.exit_status == 1
