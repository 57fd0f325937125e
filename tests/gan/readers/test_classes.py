import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.classes import classes_of, told
from gansearch.gan.readers.images import Source


def source(*names, **more):
    return Source("below photos", names, lambda index: None, files=[None] * len(names), **more)


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (("cat/1.png", "dog/1.png"), ["cat", "dog"]),
        (("cat/2019/1.png", "dog/1.png"), ["cat", "dog"]),
        (("train/cat/1.png", "train/dog/2.png", "test/cat/3.png"), ["cat", "dog", "cat"]),
        (("Validation/a b/1.png", "Training/ü/2.png"), ["a b", "ü"]),
    ],
)
def test_a_class_is_the_first_folder_that_is_no_split(names, classes):
    assert classes_of(source(*names), "folders") == classes


@pytest.mark.parametrize(
    ("found", "condition", "problem"),
    [
        (source("1.png", "cat/2.png"), "folders", "1 of 2 pictures below photos lie in no folder of a class: 1.png"),
        (source("train/1.png", "train/2.png"), "folders", "2 of 2 pictures .* lie in no folder of a class"),
        (source("cat/1.png", "cat/2.png"), "folders", "folders: all pictures below photos are of one class, cat"),
        (source("cat/1.png"), "labels", "labels: the pictures below photos have none; use folders"),
        (Source("of hf:x", ["number 0"], lambda index: None), "folders", "pictures of hf:x lie in none; use labels"),
    ],
)
def test_pictures_without_a_class_are_an_error_in_one_sentence(found, condition, problem):
    with pytest.raises(TaskError, match=f"task_options.condition: .*{problem}"):
        classes_of(found, condition)


def test_labels_of_a_data_set_are_its_own():
    assert classes_of(source("1", "2", labels=lambda: ["b", "a"]), "labels") == ["b", "a"]


def test_classes_of_few_pictures_are_told():
    assert told(["cat"] * 10 + ["dog"] * 9) == ["classes of fewer than 10 pictures, too few to judge them: dog (9)"]
    assert told(["cat"] * 10) == []
