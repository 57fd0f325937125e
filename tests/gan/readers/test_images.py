"""Folders of pictures as people have them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansearch.experiment import Training
from gansearch.gan import check_task, load_task
from gansearch.gan.data import HELD_OUT_MOST, data_of
from gansearch.gan.readers.cache import FOLDER
from gansearch.gan.readers.images import in_folder, read_pictures
from gansearch.gan.task import TaskError
from gansearch.gan.tasks import Images
from gansearch.gan.trainer import Trainer

CPU = torch.device("cpu")
RANDOM = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "pictures"
    (path / "cats").mkdir(parents=True)
    return path


def save(path: Path, mode: str = "L", size: tuple[int, int] = (20, 20), **options) -> None:
    shape = size[::-1] + ((len(mode),) if len(mode) > 1 else ())
    Image.fromarray(RANDOM.integers(0, 256, shape, dtype=np.uint8), mode=None).convert(mode).save(path, **options)


def fill(folder: Path, count: int = 50, mode: str = "L") -> None:
    for number in range(count):
        save(folder / f"{number:03}.png", mode)


def test_pictures_of_any_size_and_depth_become_squares(folder):
    save(folder / "wide.png", size=(64, 20))
    save(folder / "cats" / "tall.JPG", "RGB", (20, 64))
    save(folder / "cats" / "small.bmp", size=(3, 3))
    save(folder / ".hidden.png")
    (folder / "notes.txt").write_text("no picture")
    found = read_pictures(in_folder(folder), 16, None)
    assert found.pixels.shape == (3, 3, 16, 16)
    assert found.pixels.dtype == np.uint8
    assert found.skipped == 0


def test_the_middle_is_what_is_kept(folder):
    array = np.zeros((16, 48), np.uint8)
    array[:, 16:32] = 200
    Image.fromarray(array).save(folder / "middle.png")
    assert (read_pictures(in_folder(folder), 16, None).pixels == 200).all()


@pytest.mark.parametrize(("colour", "channels"), [(None, 1), (True, 3), (False, 1)])
def test_grey_pictures_saved_in_colour_are_grey_unless_wanted(folder, colour, channels):
    grey = RANDOM.integers(0, 256, (16, 16, 1), dtype=np.uint8).repeat(3, 2)
    Image.fromarray(grey).save(folder / "grey.png")
    assert read_pictures(in_folder(folder), 16, colour).pixels.shape[1] == channels


def test_what_is_transparent_is_white_and_sixteen_bits_keep_their_shades(folder):
    Image.fromarray(np.zeros((16, 16, 4), np.uint8)).save(folder / "clear.png")
    assert (read_pictures(in_folder(folder), 16, False).pixels == 255).all()
    (folder / "clear.png").unlink()
    Image.fromarray(np.full((16, 16), 128 * 256, np.uint16)).save(folder / "deep.png")
    assert (read_pictures(in_folder(folder), 16, None).pixels == 128).all()


def test_a_picture_is_turned_as_its_camera_says(folder):
    array = np.zeros((16, 16), np.uint8)
    array[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(array).save(folder / "turned.png", exif=exif)
    pixels = read_pictures(in_folder(folder), 16, None).pixels[0, 0]
    assert pixels[8:].min() > 200 > 50 > pixels[:8].max()


def test_broken_pictures_are_left_out_counted_and_told(folder):
    fill(folder)
    whole = (folder / "000.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("not a picture")
    for number in range(3):
        (folder / f"empty{number}.png").touch()
    task = load_task("images", {"path": str(folder), "size": 16})
    check_task(task)
    assert task.real().shape == (50, 1, 16, 16)
    (told,) = task.warnings()
    assert told.startswith(
        f"5 of the 55 pictures below {folder} cannot be read and are left out: cut.png (image file is "
    )
    assert told.endswith("), empty0.png (no picture), empty1.png (no picture), …")
    again = load_task("images", {"path": str(folder), "size": 16})
    assert again.warnings() == [told]


def test_whole_pictures_are_nothing_to_speak_of(folder):
    fill(folder)
    assert load_task("images", {"path": str(folder), "size": 16}).warnings() == []


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, "task_options.path: images needs a folder of pictures"),
        ({"path": "nowhere"}, "there is no nowhere"),
        ({"path": "pictures/000.png"}, "1 pictures below pictures/000.png can be read, but at least 50 are needed"),
        ({"path": "empty"}, "empty holds no .png, .jpg"),
        ({"path": "broken"}, "none of the 2 pictures below broken can be read; the first: a.png (no picture)"),
        ({"path": "few"}, "3 pictures below few can be read, but at least 50 are needed"),
        ({"path": "pictures", "size": 100}, "task_options.size: 100 is not one of 16, 32, 64 and 128"),
        ({"path": "pictures", "colour": "yes"}, "task_options.colour: 'yes' is not one of true, false and auto"),
        ({"path": "pictures", "networks": "vit"}, "task_options.networks: 'vit' is not one of dcgan and resnet"),
        ({"path": "pictures", "width": 0}, "task_options.width: must be a whole number of at least 1, not 0"),
        ({"path": "pictures", "pth": 0}, 'did you mean "path"'),
    ],
)
def test_what_is_wrong_is_said_in_one_line(folder, tmp_path, monkeypatch, options, part):
    monkeypatch.chdir(tmp_path)
    fill(folder)
    for name in ("empty", "broken", "few"):
        Path(name).mkdir()
    for name in ("a.png", "b.png"):
        Path("broken", name).write_text("no")
    fill(Path("few"), 3)
    with pytest.raises(TaskError) as error:
        check_task(load_task("images", options))
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_pictures_are_decoded_once_and_anew_when_a_file_changes(folder, tmp_path, monkeypatch):
    fill(folder)
    before = read_pictures(in_folder(folder), 16, None).pixels.copy()
    real = Image.open
    opened = []
    monkeypatch.setattr(Image, "open", lambda *words: opened.append(words) or real(*words))
    assert np.array_equal(read_pictures(in_folder(folder), 16, None).pixels, before)
    assert opened == []
    save(folder / "000.png", size=(30, 30))
    assert not np.array_equal(read_pictures(in_folder(folder), 16, None).pixels, before)
    assert len(list((tmp_path / "cache").glob("images-*.npy"))) == 2


def test_what_fails_leaves_nothing_in_the_cache(folder, tmp_path):
    (folder / "a.png").write_text("no")
    with pytest.raises(TaskError):
        read_pictures(in_folder(folder), 16, None)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.suffix != ".lock"]


def test_a_cache_that_cannot_be_written_is_told(folder, tmp_path, monkeypatch):
    fill(folder, 1)
    (tmp_path / "file").touch()
    monkeypatch.setenv(FOLDER, str(tmp_path / "file"))
    with pytest.raises(TaskError, match="name another folder in GANSEARCH_CACHE"):
        read_pictures(in_folder(folder), 16, None)


def test_training_sees_what_is_not_held_out_a_batch_at_a_time(folder):
    fill(folder)
    task = Images(str(folder), size=16)
    data = data_of(task, CPU)
    assert (data.count, len(data.held_out)) == (40, 10)
    assert data.real.dtype == torch.uint8
    every = data.at(torch.arange(40).reshape(2, 20))
    assert every.shape == (2, 20, 1, 16, 16)
    assert every.dtype == torch.float32
    together = torch.cat([every.flatten(0, 1), data.held_out])
    whole = torch.from_numpy(task.pictures.pixels).float() / 127.5 - 1
    assert sorted(together.flatten(1).sum(1).tolist()) == pytest.approx(sorted(whole.flatten(1).sum(1).tolist()))
    assert -1 <= float(every.min()) < float(every.max()) <= 1
    assert HELD_OUT_MOST == 5_000


@pytest.mark.parametrize("networks", ["dcgan", "resnet"])
@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_networks_fit_every_size(folder, networks, size):
    fill(folder, mode="RGB")
    check_task(Images(str(folder), size, networks=networks, width=2, latent_dim=4))


@pytest.mark.parametrize("networks", ["dcgan", "resnet"])
def test_a_folder_of_pictures_trains(folder, networks):
    fill(folder)
    trainer = Trainer(
        Images(str(folder), 16, networks=networks, width=4, latent_dim=4),
        Training(updates=20, batch_size=4, spectral_norm=True),
    )
    for _ in trainer.run():
        pass
    result = trainer.result()
    assert result.quality["distance"] > 0
    assert 0 <= result.quality["coverage"] <= 1
    assert abs(result.samples).max() <= 1
