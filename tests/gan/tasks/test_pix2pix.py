import numpy as np
import pytest
import torch
from PIL import Image

from gansearch.gan import TaskError, check_task, load_task
from gansearch.gan.data import data_of
from gansearch.gan.tasks import Pix2pix
from tests.gan.pictures import fill

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
SMALL = {"size": 16, "width": 4}


def fill_pairs(folder, count=50, mode="L"):
    """Save pairs of noise and its negative, A on the left."""
    folder.mkdir(exist_ok=True)
    draws = np.random.default_rng(0)
    for number in range(count):
        a = draws.integers(0, 256, (16, 16, len(mode)), dtype=np.uint8)
        Image.fromarray(np.concatenate([a, 255 - a], 1).squeeze()).save(folder / f"{number:03}.png")


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_the_right_is_made_of_the_left_or_the_other_way_round(tmp_path, direction):
    fill_pairs(tmp_path / "pairs")
    task = Pix2pix(str(tmp_path / "pairs"), direction, **SMALL)
    data = data_of(task, CPU)
    assert (data.count, len(data.held_out)) == (40, 10)
    assert torch.allclose(data.held_out, -data.conditions[0], atol=1e-6)
    first = np.asarray(Image.open(tmp_path / "pairs" / "000.png"))[:, :16] / 127.5 - 1
    inputs, _ = task.pairs()
    unpacked = task.unpacked_labels(inputs[:1])[0, 0].numpy()
    assert unpacked == pytest.approx(first if direction == "AtoB" else -first, abs=1e-6)


@pytest.mark.parametrize("options", [{}, {"scales": 2, "layers": 1}, {"latent_dim": 3, "dropout": 0.0}], ids=str)
def test_a_folder_of_pairs_trains(train, tmp_path, options):
    fill_pairs(tmp_path / "pairs", mode="RGB")
    task = load_task("pix2pix", {"path": str(tmp_path / "pairs"), **SMALL, **options})
    check_task(task)
    result = train(task, updates=8, reconstruction="l1", d_start=2)
    assert result.samples.shape[1:] == (3, 16, 16)
    assert result.quality["distance"] > 0
    assert 0 < result.quality["reconstruction"] < 2
    assert 0 <= result.quality["coverage"] <= 1
    assert task.shown(result.samples) == {"kind": "image"}


def test_samples_of_other_inputs_are_far_though_they_look_right(tmp_path):
    fill_pairs(tmp_path / "pairs")
    task = Pix2pix(str(tmp_path / "pairs"), **SMALL)
    inputs = torch.linspace(-0.9, 0.9, 20)[:, None, None, None] + torch.rand(20, 1, 16, 16)
    targets = -inputs
    right, others, blurred = (
        task.conditional_quality(targets, fake, inputs)["distance"]
        for fake in (targets + 0.01, targets.flip(0), targets.mean((2, 3), keepdim=True).expand(-1, -1, 16, 16))
    )
    assert right < 0.1 * min(others, blurred)


def test_pairs_with_a_picture_in_common_stay_on_one_side(tmp_path):
    fill_pairs(tmp_path / "pairs", 60)
    for number in range(30):
        (tmp_path / "pairs" / f"x{number:03}.png").write_bytes((tmp_path / "pairs" / f"{number:03}.png").read_bytes())
    task = Pix2pix(str(tmp_path / "pairs"), **SMALL)
    data = data_of(task, CPU)
    trained = {row.numpy().tobytes() for row in data.at(torch.arange(data.count))}
    assert not trained & {row.numpy().tobytes() for row in data.held_out}
    assert task.warnings() == [
        "30 of 90 pairs, by input or by target, are copies of others; the held-out split keeps them on one side"
    ]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, "task_options.path: pix2pix needs a folder of pairs of pictures"),
        ({"path": "few"}, "3 pairs of pictures below few can be read, but at least 50 are needed"),
        ({"path": "single"}, "none of 50 pairs of pictures below single can be read; the first: 000.png (20×20 pixels"),
        ({"path": "pairs", "direction": "BA"}, "task_options.direction: 'BA' is not one of AtoB, BtoA"),
        ({"path": "pairs", "size": 100}, "task_options.size: 100 is not one of 16, 32, 64, 128, 256"),
        ({"path": "pairs", "dropout": 1}, "task_options.dropout: must be from 0 to below 1, not 1"),
        ({"path": "pairs", "latent_dim": -1}, "task_options.latent_dim: must be 0 or more, not -1"),
        ({"path": "pairs", "size": 16, "layers": 3, "scales": 2}, "layers: and scales together must be at most 4"),
        ({"path": "pairs", "with": 0}, 'did you mean "width"'),
    ],
)
def test_errors_are_one_line(tmp_path, monkeypatch, options, part):
    monkeypatch.chdir(tmp_path)
    fill_pairs(tmp_path / "pairs")
    fill_pairs(tmp_path / "few", 3)
    (tmp_path / "single").mkdir()
    fill(tmp_path / "single")
    with pytest.raises(TaskError) as error:
        check_task(load_task("pix2pix", options))
    assert part in str(error.value)
    assert "\n" not in str(error.value)
