"""What trials take of GPUs is added up from report to report."""

from types import SimpleNamespace

import pytest

from gansearch.search import gpu_use
from gansearch.search.gpu_use import GpuUse


def trial(number, gpus):
    resources = {"CPU": 1.0, **({"GPU": gpus} if gpus else {})}
    factory = SimpleNamespace(required_resources=resources)
    return SimpleNamespace(config={"number": number}, placement_group_factory=factory)


@pytest.fixture
def clock(pretend):
    now = SimpleNamespace(seconds=0.0)
    pretend(gpu_use, monotonic=lambda: now.seconds)
    return now


def test_a_share_of_a_gpu_counts_as_that_share_and_a_pause_not_at_all(clock):
    use, shared = GpuUse(), trial(0, 0.25)
    use.on_trial_start(shared)
    clock.seconds = 40
    use.on_trial_result(shared, {"gpu_memory": 2e9, "gpu_utilisation": 0.5})
    clock.seconds = 140  # its worker died, and it waited for another
    use.on_trial_start(shared)
    clock.seconds = 150
    shared.placement_group_factory.required_resources["GPU"] = 1.0  # alone now
    use.on_trial_result(shared, {"gpu_memory": 1e9, "gpu_utilisation": 1.0})
    assert use.columns(shared) == {"gpu_seconds": 20.0, "gpu_memory": 2e9, "gpu_utilisation": 0.75}
    assert use.hours == pytest.approx(20 / 3600)


def test_a_sweep_goes_on_from_the_hours_of_its_folder(clock):
    use = GpuUse(hours=2.0)
    assert use.hours == 2.0
    use.on_trial_start(trial(0, 1.0))
    clock.seconds = 3600
    use.on_trial_result(trial(0, 1.0), {})
    assert use.hours == 3.0


def test_without_a_gpu_nothing_is_known(clock):
    use, plain = GpuUse(), trial(0, 0.0)
    use.on_trial_start(plain)
    use.on_trial_result(plain, {})
    assert (use.hours, use.columns(plain)) == (None, {})
