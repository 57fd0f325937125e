"""Code bases by the names of their columns."""

from gansearch.diagnosis.roles.formats import FORMATS, format_of


def test_each_format_is_told_by_its_own_columns():
    for one in FORMATS:
        found = format_of(one.columns, one.printed is not False)
        assert found is not None
        assert found.columns <= one.columns


def test_names_that_anybody_uses_say_nothing():
    assert format_of(["d_loss", "g_loss"], True) is None
