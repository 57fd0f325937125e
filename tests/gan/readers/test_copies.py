import numpy as np

from gansearch.gan.readers.copies import copies_of, groups_of


def test_each_copy_has_the_number_of_the_first():
    samples = np.array([[1, 2], [3, 4], [1, 2], [2, 1], [3, 4], [1, 2]], np.uint8)
    copies = copies_of(samples)
    assert copies == {2: 0, 4: 1, 5: 0}
    assert groups_of(6, copies).tolist() == [0, 1, 0, 3, 1, 0]
    assert groups_of(6, copies_of(samples[[0, 1, 3]])) is None
