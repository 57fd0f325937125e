import ast
from pathlib import Path

import pytest

from gansearch.scripts.prepare.modules import Module
from gansearch.scripts.prepare.options import argparse_options, is_hydra, refuses

PARSER = """
def add(group):
    group.add_argument("-l", "--lr-d", type=float, default=2e-4)
    group.add_argument("--amp", action="store_true")
    group.add_argument("--no_amp", dest="slow", action="store_false")
    group.add_argument("--ema", action=argparse.BooleanOptionalAction)
    group.add_argument("--fast", type=bool, default=True)
    group.add_argument("data")
    group.add_argument("extra", nargs="?")
    group.add_argument("--root", required=True)
    group.add_argument("--dims", nargs="+", default=[1, 2])
    group.add_argument("--version", action="version")
    group.add_argument(name, default=3)
"""


def module(source):
    return Module(Path("train.py"), "train.py", ast.parse(source))


def test_options_are_read_with_their_kinds():
    found = [(one.name, one.flag, one.default, one.kind, one.required) for one in argparse_options([module(PARSER)])]
    assert found == [
        ("lr_d", "--lr-d", 2e-4, "value", False),
        ("amp", "--amp", False, "on", False),
        ("slow", "--no_amp", True, "off", False),
        ("ema", "--ema", None, "both", False),
        ("fast", "--fast", True, "bool", False),
        ("data", "", None, "value", True),
        ("extra", "", None, "value", False),
        ("root", "--root", None, "value", True),
        ("dims", "--dims", [1, 2], "value", False),
    ]


def test_a_script_of_hydra_is_told_by_its_decorator():
    assert is_hydra([module("@hydra.main(config_name='a')\ndef main(cfg): pass")])
    assert not is_hydra([module("import hydra")])


@pytest.mark.parametrize(
    ("line", "does"),
    [
        ("os.makedirs(a['out'])", True),
        ("os.makedirs(a.out, exist_ok=False)", True),
        ("os.makedirs(a.out, exist_ok=True)", False),
    ],
)
def test_a_folder_that_must_not_exist(line, does):
    assert refuses([module(line)], "out") == does
