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
    assert found.warnings == ["1 hidden file is left out: .hidden.png"]


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
    monkeypatch.setattr(Image, "open", lambda *words, **more: opened.append(words) or real(*words, **more))
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


def tiffs(folder, draw, count=60):
    for number in range(count):
        Image.fromarray(draw(number)).save(folder / f"{number}.tif")


@pytest.mark.parametrize(
    "draw",
    [
        lambda _: RANDOM.random((20, 20)).astype(np.float32),
        lambda _: RANDOM.integers(0, 4_096, (20, 20)).astype(np.uint16),
        lambda _: RANDOM.integers(0, 256, (20, 20)).astype(np.int32),
    ],
    ids=["float32", "12 bits", "int32"],
)
def test_deep_pictures_are_scaled_and_told(folder, draw):
    tiffs(folder, draw)
    found = read_pictures(in_folder(folder), 16, None)
    assert 110 < found.samples.mean() < 145
    assert found.samples.std() > 40
    (warning,) = found.warnings
    assert "are the pixels of 60 pictures: 0 or less is read as black and" in warning
    assert read_pictures(in_folder(folder), 16, None).warnings == [warning]


def test_dark_pictures_and_further_frames_are_told(folder):
    fill(folder)
    Image.fromarray(RANDOM.integers(0, 16, (20, 20, 3), dtype=np.uint8)).save(folder / "dark.png")
    frames = [Image.fromarray(RANDOM.integers(0, 256, (20, 20, 3), dtype=np.uint8)) for _ in range(3)]
    for name in ("a.gif", "b.tif", "c.png", "d.webp"):
        frames[0].save(folder / name, save_all=True, append_images=frames[1:], lossless=True)
    found = read_pictures(in_folder(folder), 16, None)
    assert len(found.samples) == 55
    assert found.warnings == [
        "4 of 55 pictures have several frames or pages, the first of which is read",
        "1 of 55 pictures are all but black, or of one other colour",
    ]


def test_what_a_file_is_decides_and_not_its_name(folder):
    save(folder / "a.png")
    (folder / "a.png").rename(folder / "really_png.jpg")
    (folder / "program.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\nshowpage\n")
    found = read_pictures(in_folder(folder), 16, None)
    assert len(found.samples) == 1
    assert "program.png (no picture)" in found.warnings[0]


def test_links_that_lead_nowhere_are_left_out_with_a_warning(folder):
    fill(folder)
    (folder / "lost.png").symlink_to("/nowhere/annex/lost.png")
    found = read_pictures(in_folder(folder), 16, None)
    assert len(found.samples) == 50
    assert found.warnings == [
        f"1 of 51 files below {folder} cannot be read and is left out: "
        "lost.png (a link that leads nowhere, to /nowhere/annex/lost.png)"
    ]


def test_copies_of_a_notebook_server_are_not_read(folder):
    fill(folder)
    (folder / ".ipynb_checkpoints").mkdir()
    fill(folder / ".ipynb_checkpoints", 20)
    found = read_pictures(in_folder(folder), 16, None)
    assert len(found.samples) == 50
    assert found.warnings[0].startswith("20 hidden files are left out: .ipynb_checkpoints/000.png")


def test_a_picture_of_too_many_pixels_is_left_out(folder, monkeypatch):
    fill(folder)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    save(folder / "bomb.png", size=(40, 40))
    found = read_pictures(in_folder(folder), 16, None)
    assert len(found.samples) == 50
    assert "bomb.png (Image size (1600 pixels) exceeds limit" in found.warnings[0]


def test_large_pictures_are_decoded_one_at_a_time(folder, monkeypatch):
    fill(folder)
    save(folder / "large.png", size=(40, 40))
    save(folder / "too.png", size=(40, 40))
    expected = read_pictures(in_folder(folder), 16, False).samples.copy()
    entered = []

    class Lock:
        def __enter__(self):
            entered.append(1)

        def __exit__(self, *error):
            entered.append(-1)

    monkeypatch.setattr("gansearch.gan.readers.images._ONE", Lock())
    monkeypatch.setattr("gansearch.gan.readers.images._LARGE", 1_000)
    save(folder / "small.png")  # so that all are decoded again
    assert np.array_equal(read_pictures(in_folder(folder), 16, False).samples[[*range(51), 52]], expected)
    assert len(entered) == 4


def test_large_deep_pictures_are_decoded_too(folder, monkeypatch):
    monkeypatch.setattr("gansearch.gan.readers.images._LARGE", 100)
    tiffs(folder, lambda _: RANDOM.random((20, 20)).astype(np.float32), 9)
    assert len(read_pictures(in_folder(folder), 16, None).samples) == 9
