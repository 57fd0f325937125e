import numpy as np
import pytest
from PIL import Image

from gansearch.gan import TaskError
from gansearch.gan.readers.images import read_pairs
from gansearch.gan.readers.pairs import pairs_in


def flat(path, level, size=(8, 8), **options):
    """Save a picture of one grey, whose level says which it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).save(path, **options)


def levels(path, colour=None):
    """The levels of the pairs that are read, as (A, B); and the warnings, but for that of their one colour."""
    pairs = read_pairs(pairs_in(str(path)), 8, colour)
    told = [warning for warning in pairs.warnings if "one other colour" not in warning]
    return [tuple(pair) for pair in pairs.samples.mean((2, 3, 4)).round().astype(int).tolist()], told


def test_two_folders_are_paired_by_name_whatever_endings_sizes_and_depth(tmp_path):
    for number in range(3):
        flat(tmp_path / f"a/train/{number}.png", 10 * number, (20, 30))
        flat(tmp_path / f"B/train/{number}.bmp", 10 * number + 100)
    flat(tmp_path / "a/x_A.png", 7)
    flat(tmp_path / "B/x_B.png", 8)
    assert levels(tmp_path) == ([(0, 100), (10, 110), (20, 120), (7, 8)], [])


def test_one_file_holds_a_on_the_left_and_b_on_the_right_also_where_a_camera_was_turned(tmp_path):
    both = np.repeat(np.array([[30, 200]], np.uint8), 8, 1).repeat(8, 0)
    Image.fromarray(both).save(tmp_path / "1.png")
    turned = Image.fromarray(both).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 270°
    turned.save(tmp_path / "2.png", exif=exif)
    assert levels(tmp_path) == ([(30, 200), (30, 200)], [])


def test_what_has_no_partner_is_counted_and_left_out(tmp_path):
    for name in "1234":
        flat(tmp_path / f"A/{name}.png", 1)
    for name in "345":
        flat(tmp_path / f"B/{name}.png", 2)
    flat(tmp_path / "B/3.bmp", 3)
    (tmp_path / "B/4.png").write_text("no picture")
    found, told = levels(tmp_path)
    assert found == [(1, 3)]
    assert told == [
        "1 pictures in B have the name of another: 3.png",
        "2 of 4 pictures in A have none of the same name in B and are left out: 1.png, 2.png",
        "1 of 3 pictures in B have none of the same name in A and are left out: 5.png",
        f"1 of 2 pairs of pictures below {tmp_path} cannot be read and is left out: 4 (no picture)",
    ]


@pytest.mark.parametrize(
    ("files", "part"),
    [
        (["A/1.png"], "holds the folder A but no B; pairs are in both"),
        (
            ["A/1.png", "B/2.png"],
            "in A and 1 in B no two pictures have the same name, such as A/1.png and B/2.png",
        ),
        (["1.png"], "none of 1 pairs of pictures below {} can be read; the first: 1.png (8×8 pixels are not two"),
        (["A/1.png", "B/1.txt"], "B holds no .png"),
        ([], "there is no"),
    ],
)
def test_errors_are_one_line(tmp_path, files, part):
    for name in files:
        if name.endswith("png"):
            flat(tmp_path / "data" / name, 1)
        else:
            (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / name).write_text("text")
    with pytest.raises(TaskError) as error:
        levels(tmp_path / "data")
    assert part.format(tmp_path / "data") in str(error.value)
    assert str(error.value).startswith("task_options.path: ")
    assert "\n" not in str(error.value)


def test_both_are_in_colour_where_one_is(tmp_path):
    flat(tmp_path / "A/1.png", 1)
    (tmp_path / "B").mkdir()
    Image.new("RGB", (8, 8), (1, 2, 3)).save(tmp_path / "B/1.png")
    sources = pairs_in(str(tmp_path))
    assert read_pairs(sources, 8, None).samples.shape == (1, 2, 3, 8, 8)
    assert read_pairs(sources, 8, False).samples.shape == (1, 2, 1, 8, 8)


def test_pairs_with_an_input_or_a_target_in_common_are_of_one_group(tmp_path):
    for number, (a, b) in enumerate([(1, 10), (2, 20), (1, 30), (3, 30), (4, 2)]):
        flat(tmp_path / f"A/{number}.png", a)
        flat(tmp_path / f"B/{number}.png", b)
    assert read_pairs(pairs_in(str(tmp_path)), 8, None).groups.tolist() == [0, 1, 0, 0, 4]


def test_the_home_of_nobody_is_a_folder_that_is_not_there():
    with pytest.raises(TaskError, match="there is no ~nobody_of_this_name/pairs"):
        pairs_in("~nobody_of_this_name/pairs")
