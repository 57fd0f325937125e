import sysconfig
from pathlib import Path

import pytest
import torch

from gansearch.gan import TaskError, check_task, load_task
from gansearch.gan.tasks.prose import Characters

LICENCE = next(Path(sysconfig.get_path("stdlib")).glob("LICENSE*"))


@pytest.fixture
def licence(tmp_path):
    (tmp_path / "licence.txt").write_text(LICENCE.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_the_licence_of_python_trains(train, licence):
    task = load_task("prose", {"path": str(licence), "width": 8, "blocks": 1, "length": 16})
    check_task(task)
    result = train(task)
    assert 0 < result.quality["distance"] <= 1
    assert 0 <= result.quality["unseen_words"] <= 1
    shown = task.shown(result.samples[:3])
    assert shown["kind"] == "text"
    assert [len(text) for text in shown["texts"]] == [16] * 3


def test_reals_are_the_text_window_by_window(licence):
    task = load_task("prose", {"path": str(licence), "characters": 256})
    text = " ".join(LICENCE.read_text(encoding="utf-8").split())
    shown = task.shown(task.real()[:20].numpy())["texts"]
    assert "".join(shown) == text[: 20 * 32]
    assert torch.equal(task.real().sum(1), torch.ones(len(text) // 32, 32))
    assert task.warnings() == []


def test_fakes_are_one_hot_and_have_gradients(licence):
    task = load_task("prose", {"path": str(licence), "width": 8})
    generator = task.generator()
    fake = generator(torch.randn(4, 64))
    assert torch.allclose(fake.max(1).values, torch.ones(4, 32))
    assert torch.allclose(fake.sum(1), torch.ones(4, 32))
    task.discriminator()(fake).sum().backward()
    assert float(generator[0].weight.grad.abs().sum()) > 0


def test_half_precision_is_drawn_in_full():
    drawn = Characters(1.0)(torch.randn(4, 8, 32).half())
    assert drawn.dtype == torch.float32
    assert torch.allclose(drawn.sum(1), torch.ones(4, 32))


def test_quality_is_worse_for_shuffled_letters(licence):
    task = load_task("prose", {"path": str(licence)})
    real = task.real()
    same = task.quality(real[::2], real[1::2])
    shuffled = real[1::2].transpose(1, 2).reshape(-1, real.shape[1])
    shuffled = shuffled[torch.randperm(len(shuffled), generator=torch.Generator().manual_seed(0))]
    worse = task.quality(real[::2], shuffled.view(-1, 32, real.shape[1]).transpose(1, 2))
    assert worse["distance"] > 1.3 * same["distance"]
    assert same["unseen_words"] < 0.02  # a window cuts the words at its ends, which are not counted
    assert worse["unseen_words"] > 0.5


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"length": 4}, "length: must be at least 8"),
        ({"characters": 1}, "characters: must be 2 to 8192"),
        ({"temperature": 0}, "temperature: must be above 0, not 0"),
        ({"lowercas": True}, 'did you mean "lowercase"'),
    ],
)
def test_errors_name_the_option(options, part):
    with pytest.raises(TaskError, match=part):
        load_task("prose", options)
