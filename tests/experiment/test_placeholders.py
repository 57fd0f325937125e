import pytest

from gansearch.experiment.placeholders import Placeholder, names, only, parts


def test_the_parts_of_a_text():
    assert parts("--lr={lr_d}") == ["--lr=", Placeholder("lr_d")]
    assert parts("{amp:--amp}{x:--a:--no-a}") == [Placeholder("amp", "--amp"), Placeholder("x", "--a", "--no-a")]
    assert parts('{{"a": {b}}}') == ['{"a": ', Placeholder("b"), "}"]
    assert parts("${oc.env:HOME}/${a.${b}}/{{x}}") == ["${oc.env:HOME}/${a.${b}}/{x}"]
    assert parts("plain") == ["plain"]
    assert parts("") == []
    assert only("{lr}") == Placeholder("lr")
    assert only("{lr}x") is None


@pytest.mark.parametrize("text", ["{", "a}", "{a b}", '{"a": 1}', "{a:b:c:d}", "{}", "{1}"])
def test_a_brace_around_no_name_is_an_error(text):
    with pytest.raises(ValueError, match="for a brace"):
        parts(text)


def test_the_names_in_plain_data():
    assert list(names({"{a}": ["{b}", 1, None], "c": {"d": "{e}{{f}}"}})) == ["a", "b", "e"]
