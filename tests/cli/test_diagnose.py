import json

import pytest
from typer.testing import CliRunner

from gansearch.cli.diagnose import roles
from gansearch.cli.main import app

FINE = "".join(f"step {i}: errD: 1.{i % 7}000 errG: 0.9{i % 5}00\n" for i in range(200))
DEAD = FINE + "".join(f"step {i}: errD: 100.0000 errG: 0.0000\n" for i in range(200, 500))


def run(*words, stdin=None):
    return CliRunner().invoke(app, ["diagnose", *map(str, words)], input=stdin)


@pytest.fixture
def logs(tmp_path):
    for name, text in (("fine.log", FINE), ("dead.log", DEAD)):
        (tmp_path / name).write_text(text)
    return tmp_path / "fine.log", tmp_path / "dead.log"


def test_a_diagnosis_ends_with_zero_whatever_it_says(logs):
    fine, dead = (run(log, "--loss", "bce-sum") for log in logs)
    assert fine.exit_code == dead.exit_code == 0
    assert "Nothing that this log can show is wrong." in fine.output
    assert "FROZEN, proven, since step 200 (line 201)" in dead.output


def test_json_is_alone_and_a_list_for_several(logs):
    one = json.loads(run(logs[0], "--json", "--loss", "bce-sum").output)
    assert list(one) == ["file", "records", "loss", "columns", "findings", "unknown"]
    two = json.loads(run(*logs, "--json", "--loss", "bce-sum").output)
    assert [[finding["kind"] for finding in log["findings"]][:1] for log in two] == [[], ["frozen"]]
    assert json.loads(run("-", "--json", stdin=DEAD).output)["records"] == 500


def test_a_page_of_several_is_written(logs, tmp_path):
    assert f"page: {tmp_path / 'page.html'}" in run(*logs, "--out", tmp_path / "page.html").output
    assert (tmp_path / "page.html").read_text().count("<main>") == 2


def test_a_pipe_is_read():
    found = run("-", stdin=DEAD)
    assert found.exit_code == 0
    assert "FROZEN" in found.output


@pytest.mark.parametrize(
    "words",
    [
        ["none.log"],
        ["-", "-"],
        ["-", "--loss", "bcee"],
        ["-", "--columns", "d_loss"],
        ["-", "--columns", "dloss=errD"],
        ["-", "--columns", "d_loss=errX"],
        ["-", "--out", "/"],
        ["-", "--out", "/dev/null/page.html"],
        [],
    ],
)
def test_bad_input_ends_with_two_and_no_traceback(words):
    found = run(*words, stdin=FINE)
    assert found.exit_code == 2
    assert "Traceback" not in found.output


def test_names_of_columns_may_hold_commas_and_equals_signs():
    assert roles("d_loss=errD, g_loss=errG") == {"d_loss": "errD", "g_loss": "errG"}
    assert roles("d_loss=loss, total,g_loss=a=b") == {"d_loss": "loss, total", "g_loss": "a=b"}
    assert roles(None) == {}
