"""Variables of the environment are what they were, whatever ends their use."""

import os

import pytest

from gansearch.search.environment import environment


def test_variables_are_set_or_taken_out_and_then_as_before(monkeypatch):
    monkeypatch.setenv("GANSEARCH_A", "1")
    monkeypatch.setenv("GANSEARCH_B", "2")
    monkeypatch.delenv("GANSEARCH_C", raising=False)
    before = dict(os.environ)

    def interrupted():
        with environment({"GANSEARCH_A": None, "GANSEARCH_B": "3", "GANSEARCH_C": "4"}):
            assert "GANSEARCH_A" not in os.environ
            assert (os.environ["GANSEARCH_B"], os.environ["GANSEARCH_C"]) == ("3", "4")
            os.environ["GANSEARCH_A"] = "5"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert dict(os.environ) == before
