"""From a table to a log."""

import numpy as np
import pytest

from gansearch.diagnosis.reading import LogError, LogReader


def read(text, **options):
    reader = LogReader("x.csv", **options)
    reader.feed(text)
    reader.close()
    return reader.log()


TEXT = "epoch,mine,other,FID\n" + "".join(f"{i},{i / 10},{i / 5},\n" for i in range(9)) + "9,0.9,2,44\n"


def test_columns_that_the_user_names():
    log = read(TEXT, columns={"d_loss": "mine", "g_loss": "other"}, loss="bce")
    assert log.games[0].columns == {"d_loss": "mine", "g_loss": "other"}
    assert (log.games[0].loss, log.games[0].loss_source) == ("bce", "--loss")
    np.testing.assert_allclose(log.games[0].values["d_loss"], np.arange(10) / 10)
    assert log.metrics["FID"][-1] == 44
    assert np.isnan(log.metrics["FID"][:-1]).all()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"d_los": "mine"}, "no role 'd_los'. Did you mean 'd_loss'"),
        ({"d_loss": "mien"}, "no column is called 'mien'. Did you mean 'mine'"),
        ({"d_loss": "zebra"}, "There are epoch, mine, other, FID."),
        ({}, "name them, as in --columns d_loss=NAME"),
    ],
)
def test_what_cannot_be_is_one_sentence(columns, message):
    with pytest.raises(LogError, match=message.replace("(", r"\(")):
        read(TEXT, columns=columns)


def test_a_metric_on_a_line_of_its_own_belongs_to_the_record_before():
    text = "".join(f"step {i} d_loss: 0.{i} g_loss: 1.{i}\n" + ("FID: 30.5\n" if i == 4 else "") for i in range(9))
    assert np.flatnonzero(read(text).metrics["FID"] == 30.5).tolist() == [4]


def test_a_nan_is_printed_and_a_blank_is_not():
    game = read("step,d_loss,g_loss\n0,1,\n1,nan,2\n2,,3\n").games[0]
    assert game.printed["d_loss"].tolist() == [True, True, False]
    assert np.isnan(game.values["d_loss"][1:]).all()


def test_percentages():
    log = read("".join(f"{i} [D loss: 0.5, acc.: {90 + i / 10}%] [G loss: 1.1]\n" for i in range(9)))
    np.testing.assert_allclose(log.games[0].values["accuracy"], 0.9 + np.arange(9) / 1000)
