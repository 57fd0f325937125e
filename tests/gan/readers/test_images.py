import numpy as np
import pytest
from PIL import Image

from gansearch.gan import TaskError
from gansearch.gan.readers.images import in_folder, read_pictures
from tests.gan.pictures import RANDOM, fill, save


def test_pictures_of_any_size_and_depth_become_squares(folder):
    save(folder / "wide.png", size=(64, 20))
    save(folder / "cats" / "tall.JPG", "RGB", (20, 64))
    save(folder / "cats" / "small.bmp", size=(3, 3))
    save(folder / ".hidden.png")
    (folder / "notes.txt").write_text("no picture")
    found = read_pictures(in_folder(folder), 16, None)
    assert found.samples.shape == (3, 3, 16, 16)
    assert found.samples.dtype == np.uint8
    assert found.warnings == []


def test_pictures_are_cropped_to_their_middle(folder):
    array = np.zeros((16, 48), np.uint8)
    array[:, 16:32] = 200
    Image.fromarray(array).save(folder / "middle.png")
    assert (read_pictures(in_folder(folder), 16, None).samples == 200).all()


@pytest.mark.parametrize(("colour", "channels"), [(None, 1), (True, 3), (False, 1)])
def test_grey_pictures_saved_in_colour_are_grey_by_default(folder, colour, channels):
    grey = RANDOM.integers(0, 256, (16, 16, 1), dtype=np.uint8).repeat(3, 2)
    Image.fromarray(grey).save(folder / "grey.png")
    assert read_pictures(in_folder(folder), 16, colour).samples.shape[1] == channels


def test_transparency_is_white_and_sixteen_bits_are_scaled(folder):
    Image.fromarray(np.zeros((16, 16, 4), np.uint8)).save(folder / "clear.png")
    assert (read_pictures(in_folder(folder), 16, False).samples == 255).all()
    (folder / "clear.png").unlink()
    Image.fromarray(np.full((16, 16), 128 * 256, np.uint16)).save(folder / "deep.png")
    assert (read_pictures(in_folder(folder), 16, None).samples == 128).all()


def test_a_picture_is_rotated_by_its_exif_orientation(folder):
    array = np.zeros((16, 16), np.uint8)
    array[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(array).save(folder / "turned.png", exif=exif)
    pixels = read_pictures(in_folder(folder), 16, None).samples[0, 0]
    assert pixels[8:].min() > 200 > 50 > pixels[:8].max()


def test_pictures_are_decoded_again_when_a_file_changes(folder, tmp_path, monkeypatch):
    fill(folder)
    before = read_pictures(in_folder(folder), 16, None).samples.copy()
    real = Image.open
    opened = []
    monkeypatch.setattr(Image, "open", lambda *words: opened.append(words) or real(*words))
    assert np.array_equal(read_pictures(in_folder(folder), 16, None).samples, before)
    assert opened == []
    save(folder / "000.png", size=(30, 30))
    assert not np.array_equal(read_pictures(in_folder(folder), 16, None).samples, before)
    assert len(list((tmp_path / "cache").glob("images-*.bin"))) == 2


def test_broken_pictures_are_left_out_with_a_warning(folder):
    fill(folder)
    whole = (folder / "000.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("not a picture")
    for number in range(3):
        (folder / f"empty{number}.png").touch()
    found = read_pictures(in_folder(folder), 16, None)
    assert found.samples.shape == (50, 1, 16, 16)
    (warning,) = found.warnings
    assert warning.startswith(
        f"5 of 55 pictures below {folder} cannot be read and are left out: cut.png (image file is "
    )
    assert warning.endswith("), empty0.png (no picture), empty1.png (no picture), …")
    assert read_pictures(in_folder(folder), 16, None).warnings == [warning]


def test_a_folder_of_broken_pictures_is_an_error(folder):
    for name in ("a.png", "b.png"):
        (folder / name).write_text("no")
    with pytest.raises(TaskError, match=r"none of 2 pictures below .* can be read; the first: a.png \(no picture\)"):
        read_pictures(in_folder(folder), 16, None)
