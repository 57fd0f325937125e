import pytest

from gansearch.gan.loop.params import Params


@pytest.mark.parametrize(
    ("read", "unread"),
    [
        (lambda params: params["a"], ["b"]),
        (lambda params: params.get("b"), ["a"]),
        (lambda params: dict(params), []),
        (lambda params: (lambda **given: given)(**params), []),
        (lambda params: list(params.items()), []),
        (lambda params: params.copy(), []),
        (lambda params: params.pop("a"), ["b"]),
        (lambda params: params.pop("c", 3), ["a", "b"]),
        (lambda params: params | {"c": 3}, []),
        (lambda params: {"c": 3} | params, []),
        (lambda params: None, ["a", "b"]),
    ],
)
def test_what_was_never_read_is_known(read, unread):
    params = Params({"a": 1, "b": 2})
    read(params)
    assert sorted(params.unread) == unread


def test_an_unknown_name_raises_with_the_nearest_one():
    with pytest.raises(KeyError, match='did you mean "lr"') as caught:
        Params({"lr": 1})["lrr"]
    assert str(caught.value).startswith("trial.params has no 'lrr'")
    assert Params({"lr": 1}).get("lrr", 3) == 3
