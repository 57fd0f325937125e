"""Reads an experiment file and its overrides as plain data."""

from __future__ import annotations

import codecs
import copy
import re
from pathlib import Path
from typing import Any

import yaml

from gansearch.experiment.errors import ExperimentError
from gansearch.experiment.words import suggest
from gansearch.experiment.yaml_nodes import MOST_NODES, RefusedYAML, check_size, faults, too_many

MOST_BYTES = 1_000_000
"""Most bytes of an experiment file: reading one takes seconds."""

_PROBLEMS = {
    "'\\t'": "a tab; indent with spaces",
    "that cannot start any token": "a value that begins with such a character stands in quotes",
    "mapping values are not allowed": "a second colon in the line, or another indentation than the line above",
    "unhashable key": "a list or a mapping as a name; are {{ }} of a template left?",
    "could not determine a constructor": "tags such as !name are not read",
    "but got '{'": "a text with {name} in it stands in quotes where it is within { } or [ ]",
    "another document": "a second --- ; an experiment is one document",
    "second occurrence": "an anchor (&name) that is set twice",
    "special characters are not allowed": "a character that cannot be in a text file",
}
"""What is meant by the parser's messages, by a part of each."""


class _Loader(yaml.SafeLoader):
    """A loader that reads numbers as people write them: 1e-4 and .5e3 are some, 1:30 and 2024-05-01 are text.

    In YAML 1.1 the first two are text, the third is 90 and the last one a date.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own name)
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("bool", "merge", "null")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str):
        super().__init__(text)
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Composes a node as PyYAML does, but no more than there may be: that takes 0.1 ms each."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise too_many()
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"[-+]?(([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|\.(inf|Inf|INF))$|\.(nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"[-+]?(0b_*[01][01_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0o_*[0-7][0-7_]*|[0-9][0-9_]{0,100})$"),
    list("-+0123456789"),
)


def _number(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = node.value.replace("_", "").lower()
    digits = text.lstrip("+-")
    return int(text, 0 if digits[:2] in ("0b", "0x", "0o") else 10)


_Loader.add_constructor("tag:yaml.org,2002:int", _number)


def load_yaml(text: str) -> Any:
    """Returns the data of safe YAML, in which 1e-4 is a number. Raises yaml.YAMLError."""
    return _load(text)[0]


def read_file(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the fields of a file, and by path what is wrong in it though it is YAML.

    Raises ExperimentError where it is missing, unreadable, too large or empty.
    """
    try:
        data, wrong = _load(_text(path))
    except FileNotFoundError:
        near = map(str, path.parent.glob("*.y*ml"))
        raise ExperimentError(str(path), {"": "no such file" + suggest(str(path), near)}) from None
    except IsADirectoryError:
        hint = suggest(f"{path}/experiment.yaml", map(str, path.glob("*.y*ml")))
        raise ExperimentError(str(path), {"": f"is a folder, not a file{hint}"}) from None
    except (OSError, RefusedYAML) as error:
        raise ExperimentError(str(path), {"": f"cannot be read: {error}"}) from None
    except yaml.YAMLError as error:
        raise ExperimentError(str(path), {"": f"not YAML: {_problem(error)}"}) from None
    if data is None:
        raise ExperimentError(str(path), {"": "empty; an experiment needs at least name and task"})
    if not isinstance(data, dict):
        kinds = {"list": "a list; leave out the dashes", "str": "text; a space follows each colon"}
        kind = kinds.get(type(data).__name__, repr(data))
        raise ExperimentError(str(path), {"": f"must hold fields such as name and task, not {kind}"})
    return data, wrong


def set_field(data: dict[str, Any], override: str) -> None:
    """Sets KEY=VALUE, a dotted key and a YAML value, in the fields of a file. Raises ExperimentError."""
    key, equals, value = override.partition("=")
    *parents, last = key.strip().split(".")
    if not equals or not last:
        raise ExperimentError("--set", {"": f"{override!r} is not KEY=VALUE, such as training.updates=2000"})
    for parent in parents:
        if data.get(parent) is None:
            data[parent] = {}
        data[parent] = data = copy.deepcopy(data[parent])  # its own, where other fields share it by an anchor
        if not isinstance(data, dict):
            raise ExperimentError("--set", {key: f"{parent} holds no fields"})
    try:
        data[last], wrong = _load(value)
    except RefusedYAML as error:
        raise ExperimentError("--set", {key: str(error)}) from None
    except yaml.YAMLError:
        raise ExperimentError("--set", {key: f"{value!r} is not a YAML value"}) from None
    if wrong:
        raise ExperimentError("--set", {f"{key}.{path}".rstrip("."): text for path, text in wrong.items()})


def _load(text: str) -> tuple[Any, dict[str, str]]:
    """The data of a text, and by path what is wrong with it. Raises yaml.YAMLError."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None, {}
        check_size(root)
        wrong = faults(root)
        return loader.construct_document(root), wrong
    except RecursionError:
        raise RefusedYAML("its lists and mappings are nested too deeply") from None
    finally:
        loader.dispose()


def _text(path: Path) -> str:
    """The text of a file, UTF-8 or, with a byte order mark, UTF-16. Raises OSError and RefusedYAML."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise RefusedYAML(f"it has more than {MOST_BYTES:,} bytes; an experiment has a few thousand")
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        at = content[: error.start].count(b"\n") + 1
        raise RefusedYAML(
            f"line {at} is not in {encoding.removesuffix('-sig').upper()}; save the file as UTF-8"
        ) from None


def _problem(error: yaml.YAMLError) -> str:
    """The parser's message, its lines, and what is meant by it."""
    if not isinstance(error, yaml.MarkedYAMLError):
        text = " ".join(str(error).split())
    else:
        mark = error.problem_mark
        text = f"{error.problem}" + (f" (line {mark.line + 1}, column {mark.column + 1})" if mark else "")
        if error.context_mark and mark and error.context_mark.line != mark.line:
            text = f"{error.context} that begins in line {error.context_mark.line + 1}: {text}"
    meaning = next((meaning for part, meaning in _PROBLEMS.items() if part in text), "")
    return f"{text}: {meaning}" if meaning else text
