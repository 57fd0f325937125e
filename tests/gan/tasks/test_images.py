from pathlib import Path

import pytest
import torch
from PIL import Image

from gansearch.experiment import Training
from gansearch.gan import TaskError, Trainer, check_task, load_task
from gansearch.gan.data import data_of
from gansearch.gan.split import HELD_OUT_MOST
from gansearch.gan.tasks import Images
from tests.gan.pictures import fill

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


def test_unreadable_pictures_are_warned_of(folder):
    fill(folder)
    assert load_task("images", {"path": str(folder), "size": 16}).warnings() == []
    (folder / "text.png").write_text("not a picture")
    task = load_task("images", {"path": str(folder), "size": 16})
    check_task(task)
    assert task.warnings() == [f"1 of 51 pictures below {folder} cannot be read and is left out: text.png (no picture)"]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, "task_options.path: images needs a folder of pictures"),
        ({"path": "pictures/000.png"}, "1 pictures below pictures/000.png can be read, but at least 50 are needed"),
        ({"path": "few"}, "3 pictures below few can be read, but at least 50 are needed"),
        ({"path": "pictures", "size": 100}, "task_options.size: 100 is not one of 16, 32, 64, 128"),
        ({"path": "pictures", "colour": "yes"}, "task_options.colour: 'yes' is not one of true, false, auto"),
        ({"path": "pictures", "networks": "vit"}, "task_options.networks: 'vit' is not one of dcgan, resnet"),
        ({"path": "pictures", "width": 0}, "task_options.width: must be above 0, not 0"),
        ({"path": "pictures", "pth": 0}, 'did you mean "path"'),
    ],
)
def test_errors_are_one_line(folder, tmp_path, monkeypatch, options, part):
    monkeypatch.chdir(tmp_path)
    fill(folder)
    Path("few").mkdir()
    fill(Path("few"), 3)
    with pytest.raises(TaskError) as error:
        check_task(load_task("images", options))
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_batches_and_held_out_pictures_are_all_pictures_once(folder):
    fill(folder)
    task = Images(str(folder), size=16)
    data = data_of(task, CPU)
    assert (data.count, len(data.held_out)) == (40, 10)
    assert data.real.dtype == torch.uint8
    every = data.at(torch.arange(40).reshape(2, 20))
    assert every.shape == (2, 20, 1, 16, 16)
    assert every.dtype == torch.float32
    together = torch.cat([every.flatten(0, 1), data.held_out])
    whole = torch.from_numpy(task.pictures.samples).float() / 127.5 - 1
    assert sorted(together.flatten(1).sum(1).tolist()) == pytest.approx(sorted(whole.flatten(1).sum(1).tolist()))
    assert -1 <= float(every.min()) < float(every.max()) <= 1
    assert HELD_OUT_MOST == 5_000


@pytest.mark.parametrize("networks", ["dcgan", "resnet"])
def test_a_folder_of_pictures_trains(train, folder, networks):
    fill(folder)
    task = Images(str(folder), 16, networks=networks, width=4, latent_dim=4)
    result = train(task, batch_size=4, spectral_norm=True)
    assert result.quality["distance"] > 0
    assert 0 <= result.quality["coverage"] <= 1
    assert abs(result.samples).max() <= 1


def both_sides(task):
    """Pictures that are held out, and those that are trained on, as bytes."""
    data = data_of(task, CPU)
    return (
        {bytes((127.5 * one).byte().numpy()) for one in part}
        for part in (data.held_out, data.at(torch.arange(data.count)))
    )


def test_copies_of_a_picture_stay_on_one_side(folder):
    fill(folder)
    for number in range(40):
        picture = folder / f"{number:03}.png"
        if number % 2:
            (folder / f"copy of {number}.png").write_bytes(picture.read_bytes())
        else:
            Image.open(picture).save(folder / f"saved again {number}.bmp")
    task = Images(str(folder), size=16)
    held_out, others = both_sides(task)
    assert not held_out & others
    assert task.warnings() == ["40 of 90 pictures are copies of others; the held-out split keeps them on one side"]
    former = Images(str(folder), size=16, copies="anywhere")
    held_out, others = both_sides(former)
    assert held_out & others
    assert former.warnings() == []
    order = torch.randperm(90, generator=torch.Generator().manual_seed(0))
    assert torch.equal(data_of(former, CPU).held_out, former.unpacked(former.real()[order[:18]]))


def test_the_distance_and_its_features_are_chosen(folder):
    fill(folder, 60)
    task = Images(str(folder), size=16)
    held_out = data_of(task, CPU).held_out
    assert set(task.quality(held_out, -held_out)) == {"distance", "coverage"}
    assert "plain_frechet on 64 features (random) of 12 held-out samples" in task.described()[0]
    kid = Images(str(folder), size=16, distance="kid")
    assert set(kid.quality(held_out, -held_out)) == {"distance", "kid", "kid_error", "coverage"}
    data_of(kid, CPU)
    assert "unbiased" in kid.described()[0]
    assert kid.warnings() == task.warnings() == []
    few = Images(str(folder), size=16, distance="frechet")
    data_of(few, CPU)
    with pytest.raises(TaskError, match=r"frechet of 12 held-out samples .* from 128 on"):
        few.warnings()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distance": "kdi"}, r"distance: 'kdi' is not one of auto, .*did you mean .kid"),
        ({"distance": "fid", "features": "clip"}, "features: fid is measured on those of inception, not clip"),
        ({"weights": "some"}, "weights: random features have none"),
    ],
)
def test_what_does_not_go_together_is_refused(folder, options, message):
    with pytest.raises(TaskError, match=message):
        Images(str(folder), **options)


@pytest.fixture
def pets(folder):
    for name, count in (("cat", 60), ("dog", 60), ("emu", 5)):
        (folder / name).mkdir()
        fill(folder / name, count)
    return {"path": str(folder), "size": 16, "width": 4, "condition": "folders"}


@pytest.mark.parametrize("networks", ["dcgan", "resnet"])
def test_pictures_of_folders_are_made_on_demand(pets, networks):
    task = load_task("images", {**pets, "networks": networks})
    check_task(task)
    assert task.class_names() == ["cat", "dog", "emu"]
    assert torch.bincount(task.labels()).tolist() == [60, 60, 5]
    assert task.described()[0] == "3 classes: cat (60), dog (60), emu (5)"
    assert task.warnings() == ["classes of fewer than 10 pictures, too few to judge them: emu (5)"]
    trainer = Trainer(task, Training(updates=8, batch_size=8))
    for _ in trainer.run():
        pass
    assert {"distance", "coverage", "class_distance", "worst_class"} <= trainer.result().quality.keys()


def test_a_picture_that_cannot_be_read_does_not_shift_the_classes(pets, folder):
    (folder / "cat/000.png").write_text("not a picture")
    task = load_task("images", pets)
    assert torch.bincount(task.labels()).tolist() == [59, 60, 5]
    first = task.pictures.samples[59]
    other = load_task("images", {**pets, "path": str(folder / "dog"), "condition": "none"})
    assert (first == other.pictures.samples[0]).all()
    assert len(task.real()) == len(task.labels())


def test_a_near_miss_of_the_condition_is_suggested(pets):
    with pytest.raises(TaskError, match=r'task_options.condition: .folder. is not one of none, folders.*"folders"'):
        load_task("images", {**pets, "condition": "folder"})
    with pytest.raises(TaskError, match=r'task_options.conditions: images has no such option.*"condition"'):
        load_task("images", {**pets, "conditions": "folders"})
