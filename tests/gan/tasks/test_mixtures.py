import pytest
import torch

from gansearch.gan import TaskError
from gansearch.gan.tasks.mixtures import Grid, Ring


@pytest.mark.parametrize("task", [Ring(), Grid()])
def test_the_data_itself_hits_every_mode(task):
    measured = task.quality(task.real()[:2000], task.real()[2000:4000])
    assert measured["modes_hit"] == measured["modes_2pct"] == len(task.centres)
    assert measured["high_quality"] == pytest.approx(0.9889, abs=0.01)
    one = task.quality(task.real()[:2000], task.centres[:1].expand(2000, 2))
    assert (one["modes_hit"], one["modes_2pct"], one["high_quality"]) == (1, 1, 1)
    assert one["distance"] > 10 * measured["distance"]


def test_centres_are_where_the_options_say():
    assert torch.allclose(
        Ring(modes=4, radius=2.0).centres, torch.tensor([[2.0, 0], [0, 2], [-2, 0], [0, -2]]), atol=1e-6
    )
    assert Grid(side=2, spacing=3.0).centres.tolist() == [[-1.5, -1.5], [-1.5, 1.5], [1.5, -1.5], [1.5, 1.5]]
    assert (Ring().std, Grid().std) == (0.01, 0.05)


@pytest.mark.parametrize(
    ("task", "option"),
    [(Ring, name) for name in ("modes", "radius", "std", "samples", "width", "layers", "latent_dim")]
    + [(Grid, name) for name in ("side", "spacing", "std")],
)
def test_every_option_is_above_zero(task, option):
    with pytest.raises(TaskError, match=f"task_options.{option}: must be above 0, not 0"):
        task(**{option: 0})
