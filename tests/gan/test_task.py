import pytest
import torch

from gansearch.gan import Task, TaskError


def test_a_task_says_what_it_lacks():
    for method in ("real", "generator", "discriminator"):
        with pytest.raises(TaskError, match=rf"Task needs {method}\(\)"):
            getattr(Task(), method)()


def test_the_default_quality_is_a_distance_that_is_0_for_the_data_itself():
    samples = torch.randn(50, 2)
    assert Task().quality(samples, samples) == {"distance": 0.0}
    assert Task().quality(samples, samples + 1)["distance"] > 0.5
