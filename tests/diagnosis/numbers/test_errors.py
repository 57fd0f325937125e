"""Suggestions for misspelled names."""

from gansearch.diagnosis.numbers.errors import did_you_mean


def test_a_near_miss_gets_a_suggestion():
    assert did_you_mean("D_los", ["G_loss", "D_loss"]) == " Did you mean 'D_loss'?"
    assert did_you_mean("zebra", ["G_loss", "D_loss"]) == ""
