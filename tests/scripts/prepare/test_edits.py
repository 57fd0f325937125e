import ast
import subprocess
import sys

import pytest

from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.edits import edited, expression

VALUES = {"lr": 2e-05, "n": 3, "text": 'it\'s "$(x)"\n{', "flag": True, "none": None, "out": "/a b", "dims": [1, 2]}


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        ("{lr}", "2e-05"),
        ("-{lr} * 10", "-2e-05 * 10"),
        ("True", "True"),
        ("0.0", "0.0"),
        (0.0, "0.0"),
        (None, "None"),
        ([1, 2], "[1, 2]"),
        ("'{out}/x.pt'", "'/a b/x.pt'"),
        ("({n}, {dims})", "(3, [1, 2])"),
        ("{none}", None),
        ("{flag:bce:mse}", "'bce'"),
        ("{{'a': {n}}}", "{'a': 3}"),
        ("f'{{x}}-{n}'", "f'{x}-3'"),
    ],
)
def test_what_an_edit_writes(edit, text):
    assert expression(edit, VALUES) == text


def test_a_text_is_written_so_that_python_reads_the_same():
    assert ast.literal_eval(expression("{text}", VALUES)) == VALUES["text"]
    assert ast.literal_eval(expression("'<{text}>'", VALUES)) == f"<{VALUES['text']}>"


def test_what_is_no_expression_is_an_error():
    with pytest.raises(ScriptError, match="no Python expression; a text stands in quotes"):
        expression("two words", VALUES)


@pytest.mark.parametrize("edit", ["nn.{text}", "{n}px", "b'{text}'", "dict({text}=1)"])
def test_a_value_is_no_part_of_a_name(edit):
    with pytest.raises(ScriptError, match="has a value within a name or bytes; a value stands alone"):
        expression(edit, VALUES)


DCGAN = '''# a comment
"""Trains.

A GAN."""
from __future__ import annotations
import torch.optim as optim
é = "ü"; n_critic: int = 5
beta, gamma = 0.5, (0.1)
config = {"d": {"lr": 1e-3}, "name": "é"}
cfg.model.g_optim.beta_1 = 0


class Config:
    width: int = 64

    def __init__(self, depth=4, *, heads=2):
        self.optimizer_D = optim.Adam(self.d.parameters(), 0.0002, betas=(beta, 0.999))
        self.optimizer_G = wrapped(optim.Adam(self.g.parameters(), lr=opt.lr))
        self.plain = optim.SGD(
            self.g.parameters(),  # all of them
        )
        self.bare = Adam( )


optimizerD = optim.Adam(netD.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))
model.compile(d_optimizer=keras.Adam(0.0003), g_optimizer=keras.Adam(learning_rate=0.0003), steps=2)
twice = 1
twice = 2
CTGAN(epochs=3).fit(data, n_critic=n_critic)
'''


@pytest.mark.parametrize(
    ("target", "before", "after"),
    [
        ("n_critic", "n_critic: int = 5", "n_critic: int = NEW"),
        ("é", 'é = "ü"', "é = NEW"),
        ("beta", "0.5, (0.1)", "NEW, (0.1)"),
        ("gamma", "0.5, (0.1)", "0.5, (NEW)"),
        ("config['d']['lr']", '{"lr": 1e-3}', '{"lr": NEW}'),
        ('config["name"]', '"name": "é"', '"name": NEW'),
        ("config.name", '"name": "é"', '"name": NEW'),
        ("cfg.model.g_optim.beta_1", "beta_1 = 0", "beta_1 = NEW"),
        ("Config.width", "width: int = 64", "width: int = NEW"),
        ("width", "width: int = 64", "width: int = NEW"),
        ("__init__.depth", "depth=4", "depth=NEW"),
        ("__init__.heads", "heads=2", "heads=NEW"),
        ("optimizerD.lr", "netD.parameters(), lr=opt.lr", "netD.parameters(), lr=NEW"),
        ("optimizerD.betas", "(opt.beta1, 0.999)", "NEW"),
        ("optimizerD.eps", "(opt.beta1, 0.999))", "(opt.beta1, 0.999), eps=NEW)"),
        ("self.optimizer_D.lr", "0.0002", "NEW"),
        ("self.optimizer_G.lr", "lr=opt.lr))", "lr=NEW))"),
        ("self.plain.lr", "# all of them\n        )", "# all of them\n        lr=NEW)"),
        ("self.bare.lr", "Adam( )", "Adam( lr=NEW)"),
        ("d_optimizer.learning_rate", "0.0003)", "NEW)"),
        ("g_optimizer.learning_rate", "learning_rate=0.0003", "learning_rate=NEW"),
        ("model.compile().steps", "steps=2", "steps=NEW"),
        ("compile().steps", "steps=2", "steps=NEW"),
        ("steps", "steps=2", "steps=NEW"),
        ("CTGAN().epochs", "epochs=3", "epochs=NEW"),
        ("CTGAN().verbose", "epochs=3", "epochs=3, verbose=NEW"),
    ],
)
def test_one_value_is_replaced_and_all_else_stays(target, before, after):
    assert edited(DCGAN, target, "NEW_0['x']").replace("NEW_0['x']", "NEW") == DCGAN.replace(before, after, 1)


@pytest.mark.parametrize(
    ("target", "new", "part"),
    [
        ("n_critc", "1", 'nothing is assigned to it; did you mean "n_critic"?'),
        ("optimizerG.lr", "1", "nothing is assigned to it"),
        ("twice", "1", "twice is in lines 27, 28; change them by task.patch"),
        ("twice.lr", "1", "nothing is assigned to it"),
        ("Adam().lr", "1", "is in lines 17, 18, 22, 25, 26"),
        ("a b", "1", "'a b' is no name"),
        ("3", "1", "'3' is no name"),
        ("n_critic", "adam", "a text stands in quotes: \"'adam'\""),
    ],
)
def test_what_fits_nowhere_or_twice_is_an_error(target, new, part):
    with pytest.raises(ScriptError) as caught:
        edited(DCGAN, target, new)
    assert part in str(caught.value)


@pytest.mark.parametrize("given", ["p, *more", "p, **options", "*all_of_them"])
def test_an_argument_that_may_come_by_a_star_is_an_error(given):
    with pytest.raises(ScriptError, match=r"the call in line 1 may have lr by its \* or \*\*"):
        edited(f"opt = Adam({given})", "opt.lr", "1")
    assert edited("opt = Adam(p, 2, **options)", "opt.lr", "1") == "opt = Adam(p, 1, **options)"
    assert edited("opt = Adam(*p, lr=2)", "opt.lr", "1") == "opt = Adam(*p, lr=1)"


def test_a_file_that_is_no_python_is_an_error():
    with pytest.raises(ScriptError, match="not Python that can be read"):
        edited("print 'x'", "x", "1")


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (DCGAN, 5),
        ('"""Doc."""\nx = 1\n', 1),
        ("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\nx = 1\n", 3),
        ("x = 1", 0),
    ],
)
def test_a_line_below_the_docstring_sets_all_seeds(source, line):
    text = edited(source, "seed", "7")
    lines = text.split("\n")
    assert "random.seed(7)" in lines[line]
    assert [*lines[:line], *lines[line + 1 :]] == source.split("\n")


def test_seeds_that_are_set_make_runs_equal(tmp_path):
    source = "import random\nimport numpy\nimport torch\nprint(random.random(), numpy.random.rand(), torch.rand(1))\n"
    printed = []
    for seed in ("1", "1", "2"):
        (tmp_path / "train.py").write_text(edited(source, "seed", seed))
        command = [sys.executable, str(tmp_path / "train.py")]
        printed.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert printed[0] == printed[1] != printed[2]
    assert edited("seed = 999\n", "seed", "7") == "seed = 7\n"
