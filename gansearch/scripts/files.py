"""Files of settings with a trial's values set in them: YAML, JSON and TOML, by the path of each setting."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.representer import SafeRepresenter

from gansearch.experiment import load_yaml, suggest
from gansearch.scripts.command import text_of
from gansearch.scripts.errors import ScriptError

_KEY = re.compile(r"""\.?(?:"([^"]+)"|([^."\[\]]+)|\[(\d+)\])""")


def settings_text(source: Path, target: str, values: Mapping[str, Any]) -> str:
    """Return a file's text with values set in it, by path; one that is None leaves the file's own.

    A path is `model.lr`, `losses[0].weight` or `"a.b".c`. It must be there, but for one that begins with `+`. A number
    in place of one stays of its kind: whole, with a point, or in quotes.

    Raises:
        ScriptError: The file is missing or is not what its name says, or a path leads nowhere.
    """
    try:
        tree = _tree(source.read_text(encoding="utf-8"), Path(target).suffix.lower())
    except OSError as error:
        raise ScriptError(f"task.files.{target}.from: {source} cannot be read: {error.strerror}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise ScriptError(
            f"task.files.{target}.from: {source} cannot be read: {' '.join(str(error).split())}"
        ) from None
    for path, value in values.items():
        try:
            if value is not None:
                _set(tree, path, value)
        except KeyError as error:
            raise ScriptError(f"task.files.{target}.set.{path}: {source.name} has {error.args[0]}") from None
    return tree.text()


class _Data:
    """A file's content as plain data, in which a place is a part of it."""

    def __init__(self, root: Any, write: Callable[[Any], str]):
        """Take data, and what writes it."""
        self.root, self._write = root, write

    def keys(self, place: Any) -> list[str]:
        """Return the names of a mapping, the numbers of a list; none of anything else."""
        return list(
            map(str, range(len(place)) if isinstance(place, list) else place if isinstance(place, dict) else ())
        )

    def child(self, place: Any, key: str) -> Any:
        """Return what is under a key."""
        return place[int(key)] if isinstance(place, list) else place[key]

    def value(self, place: Any) -> Any:
        """Return the plain value of a place."""
        return place

    def put(self, place: Any, key: str, value: Any) -> None:
        """Set a key."""
        place[int(key) if isinstance(place, list) else key] = value

    def grows(self, place: Any) -> bool:
        """Return whether a place can have more keys than it has."""
        return isinstance(place, dict)

    def text(self) -> str:
        """Return the whole file."""
        return self._write(self.root)


class _Nodes:
    """The same of a YAML file as nodes, so that all else is written as it was.

    That is its tags and quotes, and 1e-4, which is text to some programs and a number to others.
    """

    def __init__(self, text: str):
        """Read a text. Raises yaml.YAMLError."""
        self.root = yaml.compose(text, Loader=yaml.SafeLoader) or MappingNode("tag:yaml.org,2002:map", [])

    def keys(self, place: Node) -> list[str]:
        """Return the names of a mapping, the merged ones (`<<`) too; the numbers of a list."""
        if isinstance(place, SequenceNode):
            return list(map(str, range(len(place.value))))
        return list(_pairs(place))

    def child(self, place: Node, key: str) -> Node:
        """Return what is under a key. What other places share with it by an alias becomes its own."""
        own = copy.deepcopy(place.value[int(key)] if isinstance(place, SequenceNode) else _pairs(place)[key])
        self._put(place, key, own)
        return own

    def value(self, place: Node) -> Any:
        """Return the plain value of a place; None for a mapping and a list."""
        if not isinstance(place, ScalarNode):
            return None
        return place.value if place.style else load_yaml(place.value)

    def put(self, place: Node, key: str, value: Any) -> None:
        """Set a key."""
        self._put(place, key, SafeRepresenter(default_flow_style=None).represent_data(value))

    def _put(self, place: Node, key: str, node: Node) -> None:
        if isinstance(place, SequenceNode):
            place.value[int(key)] = node
            return
        for i, (name, _) in enumerate(place.value):
            if isinstance(name, ScalarNode) and name.value == key:
                place.value[i] = (name, node)
                return
        place.value.append((ScalarNode("tag:yaml.org,2002:str", key), node))

    def grows(self, place: Node) -> bool:
        """Return whether a place can have more keys than it has."""
        return isinstance(place, MappingNode)

    def text(self) -> str:
        """Return the whole file."""
        return str(yaml.serialize(self.root, Dumper=yaml.SafeDumper, allow_unicode=True, width=10_000))


def _pairs(place: Node) -> dict[str, Node]:
    """The nodes of a mapping by name; what it merges comes first, so that its own take their place."""
    if not isinstance(place, MappingNode):
        return {}
    found: dict[str, Node] = {}
    for name, node in place.value:
        if name.tag == "tag:yaml.org,2002:merge":
            for one in reversed(node.value) if isinstance(node, SequenceNode) else [node]:
                found = {**_pairs(one), **found} if isinstance(node, MappingNode) else {**found, **_pairs(one)}
    return found | {str(name.value): node for name, node in place.value if name.tag != "tag:yaml.org,2002:merge"}


def _toml(value: Any) -> str:
    """A value as TOML writes it in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else text_of(value)


def _set(tree: _Data | _Nodes, path: str, value: Any) -> None:
    """Set one path. Raises KeyError with what is wrong with it."""
    adds, place = path.startswith("+"), tree.root
    *parents, last = _keys(path.removeprefix("+"))
    for key in parents:
        if key not in tree.keys(place):
            _check_new(tree, place, key, path, adds)
            tree.put(place, key, {})
        place = tree.child(place, key)
    if last in tree.keys(place):
        value = _alike(tree.value(tree.child(place, last)), value)
    else:
        _check_new(tree, place, last, path, adds)
    tree.put(place, last, value)


def _check_new(tree: _Data | _Nodes, place: Any, key: str, path: str, adds: bool) -> None:
    """Raise KeyError where a key may not be added to a place."""
    known = tree.keys(place)
    if not tree.grows(place):
        raise KeyError(f"no {key}: there is a {'list of ' + str(len(known)) if known else 'plain value'} in its place")
    if not adds:
        hint = suggest(key, known) or f"; it has {', '.join(known[:20]) or 'nothing'} there"
        raise KeyError(f"no {key}, which +{path} would add{hint}")


def _keys(path: str) -> list[str]:
    """The keys of a path. Raises KeyError where it is none."""
    if not re.fullmatch(rf"(?:{_KEY.pattern})+", path):
        raise KeyError(f"no path {path!r}; write a.b, or a[0].b in a list")
    return [quoted or plain or index for quoted, plain, index in _KEY.findall(path)]


def _alike(former: Any, value: Any) -> Any:
    """A value of the kind of the one that it takes the place of: files are often read by programs that insist on it."""
    if isinstance(former, bool) or isinstance(value, bool):
        return value
    if isinstance(former, str) and isinstance(value, int | float):
        return text_of(value)
    if isinstance(former, int | float) and isinstance(value, str):
        number = load_yaml(value) if re.fullmatch(r"[-+.\deE]+", value) else value
        value = number if isinstance(number, int | float) else value
    if isinstance(former, float) and isinstance(value, int):
        return float(value)
    if isinstance(former, int) and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _tree(text: str, ending: str) -> _Data | _Nodes:
    """A file's content. Raises ValueError and yaml.YAMLError."""
    if ending == ".json":
        return _Data(json.loads(text), lambda data: json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    if ending == ".toml":
        return _Data(tomllib.loads(text), lambda data: "".join(f"{_toml(k)} = {_toml(v)}\n" for k, v in data.items()))
    return _Nodes(text)
