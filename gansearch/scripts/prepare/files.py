"""Files of settings with a trial's values set in them: YAML, JSON and TOML, by the path of each setting."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gansearch.experiment import load_yaml, suggest
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.command import text_of

_KEY = re.compile(r"""\.?(?:"([^"]+)"|([^."\[\]]+)|\[(\d+)\])""")
_MERGE, _MAP, _STR = (f"tag:yaml.org,2002:{kind}" for kind in ("merge", "map", "str"))
_TIME = "!time"


class _Dumper(yaml.SafeDumper):
    """Also writes the times of day of TOML, which YAML has not."""


class _Constructor(SafeConstructor):
    """Makes them of what was written."""


_Dumper.add_representer(time, lambda dumper, value: dumper.represent_scalar(_TIME, value.isoformat()))
_Constructor.add_constructor(_TIME, lambda constructor, node: time.fromisoformat(node.value))


def settings_text(source: Path, target: str, values: Mapping[str, Any]) -> str:
    """Return a file's text with values set in it, by path; one that is None leaves the file's own.

    A path is `model.lr`, `losses[0].weight` or `"a.b".c`. It must be there, but for one that begins with `+`. A number
    in place of one stays of its kind: whole, with a point, or in quotes.

    Raises:
        ScriptError: The file is missing or is not what its name says, or a path leads nowhere.
    """
    try:
        root = _read(source.read_text(encoding="utf-8"), Path(target).suffix.lower())
    except OSError as error:
        raise ScriptError(f"task.files.{target}.from: {source} cannot be read: {error.strerror}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise ScriptError(
            f"task.files.{target}.from: {source} cannot be read: {' '.join(str(error).split())}"
        ) from None
    for path, value in values.items():
        try:
            if value is not None:
                _set(root, path, value)
        except KeyError as error:
            raise ScriptError(f"task.files.{target}.set.{path}: {source.name} has {error.args[0]}") from None
    return _written(root, Path(target).suffix.lower())


def _read(text: str, ending: str) -> Node:
    """A file's content as nodes of YAML, which keep all that is not set as it was written: tags, quotes, and 1e-4.

    Raises:
        ValueError: It is not JSON or TOML.
        yaml.YAMLError: It is not YAML.
    """
    if ending in (".json", ".toml"):
        return _node(json.loads(text) if ending == ".json" else tomllib.loads(text))
    return yaml.compose(text, Loader=yaml.SafeLoader) or MappingNode(_MAP, [])


def _node(data: Any) -> Node:
    """Plain data as a node."""
    return _read(yaml.dump(data, Dumper=_Dumper, default_flow_style=None, sort_keys=False), "")


def _written(root: Node, ending: str) -> str:
    """The text of a file."""
    if ending not in (".json", ".toml"):
        return str(yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True, width=10_000))
    data = _Constructor().construct_document(root)
    if ending == ".json":
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    return "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in data.items())


def _set(root: Node, path: str, value: Any) -> None:
    """Set one path. Raises KeyError with what is wrong with it."""
    adds, place = path.startswith("+"), root
    *parents, last = _keys(path.removeprefix("+"))
    for key in parents:
        known = _children(place)
        if key not in known:
            _check_new(place, key, path, adds)
        # What other places share with it by an alias or by << becomes its own.
        child = copy.deepcopy(known.get(key)) or MappingNode(_MAP, [])
        _put(place, key, child)
        place = child
    former = _children(place).get(last)
    if former is None:
        _check_new(place, last, path, adds)
    elif isinstance(former, ScalarNode):
        value = _alike(former.value if former.style else load_yaml(former.value), value)
    _put(place, last, _node(value))


def _keys(path: str) -> list[str]:
    """The keys of a path. Raises KeyError where it is none."""
    if not re.fullmatch(rf"(?:{_KEY.pattern})+", path):
        raise KeyError(f"no path {path!r}; write a.b, or a[0].b in a list")
    return [quoted or plain or index for quoted, plain, index in _KEY.findall(path)]


def _children(place: Node) -> dict[str, Node]:
    """What is in a mapping, by name, that which it merges too; or in a list, by number."""
    if isinstance(place, SequenceNode):
        return {str(i): node for i, node in enumerate(place.value)}
    found: dict[str, Node] = {}
    for name, node in place.value if isinstance(place, MappingNode) else ():
        if name.tag == _MERGE:
            for one in reversed(node.value) if isinstance(node, SequenceNode) else [node]:
                found = {**found, **_children(one)}
    own = place.value if isinstance(place, MappingNode) else ()
    return found | {str(name.value): node for name, node in own if name.tag != _MERGE}


def _put(place: Node, key: str, node: Node) -> None:
    """Set a key."""
    if isinstance(place, SequenceNode):
        place.value[int(key)] = node
        return
    names = [name.value for name, _ in place.value]
    at = max((i for i, name in enumerate(names) if name == key), default=len(names))  # of a key that comes twice
    name = place.value[at][0] if at < len(place.value) else ScalarNode(_STR, key)
    place.value[at : at + 1] = [(name, node)]


def _check_new(place: Node, key: str, path: str, adds: bool) -> None:
    """Raise KeyError where a key may not be added to a place."""
    known = list(_children(place))
    if not isinstance(place, MappingNode):
        raise KeyError(f"no {key}: there is a {'list of ' + str(len(known)) if known else 'plain value'} in its place")
    if not adds:
        hint = suggest(key, known) or f"; it has {', '.join(known[:20]) or 'nothing'} there"
        raise KeyError(f"no {key}, which +{path} would add{hint}")


def _alike(former: Any, value: Any) -> Any:
    """A value of the kind of the one that it takes the place of: files are often read by programs that insist on it."""
    if isinstance(former, bool) or isinstance(value, bool):
        return value
    if isinstance(former, str) and isinstance(value, int | float) and "${" not in former:  # which says no kind
        return text_of(value)
    if isinstance(former, int | float) and isinstance(value, str):
        number = load_yaml(value) if re.fullmatch(r"[-+.\deE]+", value) else value
        value = number if isinstance(number, int | float) else value
    if isinstance(former, float) and isinstance(value, int):
        return float(value)
    if isinstance(former, int) and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


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
