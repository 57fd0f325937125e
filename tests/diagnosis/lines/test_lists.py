"""Lists of numbers."""

import numpy as np

from gansearch.diagnosis.lines.lists import Lists
from gansearch.diagnosis.reading import LogReader


def test_lists_side_by_side_and_on_lines_of_their_own():
    d, g = (", ".join(str(start + i / 10) for i in range(12)) for start in (0, 5))
    for text in (f"D_losses = [{d}]\nG_losses = [{g}]\n", f"{{'D loss': [{d}], 'G loss': np.array([{g}])}}"):
        reader = LogReader("x")
        reader.feed(text)
        reader.close()
        log = reader.log()
        np.testing.assert_allclose(log.games[0].values["d_loss"], np.arange(12) / 10)
        np.testing.assert_allclose(log.games[0].values["g_loss"], 5 + np.arange(12) / 10)
        assert log.format == "lists of numbers"


def test_a_list_that_was_cut_is_left_out():
    source = Lists()
    source.feed(["d = [" + "1, " * 20], [1])
    assert source.notes() == ["1 line is a list without its end and left out."]
