"""What is wrong with the nodes of a YAML text before they become data: what a loader would drop or take otherwise."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gansearch.experiment.loop import names_loop

MOST_NODES = 50_000
"""Most values of a text, each counted as often as aliases repeat it."""

_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_QUOTES = tuple("“”„‘’‚«»")
_TAG = "tag:yaml.org,2002:"
_OWN = ("params", "task_options")
"""Fields in which names and values are the user's own, so that no type says what is meant."""
_FREE = ("task_options", "evidence")
"""Fields that may hold mappings of any kind."""


class RefusedYAML(yaml.YAMLError):
    """YAML that is too large, or contains itself; the message is a sentence."""


def check_size(root: Node) -> None:
    """Counts the values below a node, with the repetitions of aliases. Raises RefusedYAML."""
    counts: dict[int, int | None] = {}

    def count(node: Node) -> int:
        if id(node) in counts:
            known = counts[id(node)]
            if known is None:
                raise RefusedYAML(f"an alias in line {line(node)} contains itself")
            return known
        counts[id(node)] = None
        total = 1 + sum(map(count, _children(node)))
        counts[id(node)] = total
        return total

    if count(root) > MOST_NODES:
        raise too_many()


def too_many() -> RefusedYAML:
    """Returns the error of a text with too many values, to be raised."""
    return RefusedYAML(f"it holds more than {MOST_NODES:,} values, aliases counted; an experiment has a few dozen")


def faults(root: Node) -> dict[str, str]:
    """Returns what is wrong, by path: names that stand twice or are no text, and words that YAML takes otherwise."""
    task = next((v for k, v in root.value if k.value == "task"), None) if isinstance(root, MappingNode) else None
    own: tuple[str, ...] = _OWN
    if isinstance(task, MappingNode) or (isinstance(task, ScalarNode) and names_loop(task.value)):
        own = (*_OWN, "search", "start_from", "task")
    found: dict[str, str] = {}
    for path, node in _walk(root, []):
        for at, text in _wrong(path, node, own):
            found.setdefault(".".join(at).replace(".[", "["), text)
    return found


def line(node: Node) -> int:
    """Returns the line of a node, counted from 1."""
    return int(node.start_mark.line) + 1


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


def _walk(node: Node, path: list[str]) -> Iterator[tuple[list[str], Node]]:
    """Yields every node below one with its path; what an alias repeats comes again."""
    yield path, node
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _walk(value, [*path, str(key.value) if isinstance(key, ScalarNode) else "?"])
    elif isinstance(node, SequenceNode):
        for i, value in enumerate(node.value):
            yield from _walk(value, [*path, f"[{i}]"])


def _wrong(path: list[str], node: Node, own: Sequence[str]) -> Iterator[tuple[list[str], str]]:
    """Yields the faults of one node, each with its path."""
    if isinstance(node, MappingNode):
        yield from _wrong_names(path, node)
        return
    if not isinstance(node, ScalarNode) or node.style or path[:1] == ["evidence"]:
        return  # a scalar in quotes is text
    written = f"{node.value} (line {line(node)})"
    if node.tag == f"{_TAG}bool" and node.value.lower() not in ("true", "false") and path and path[0] in own:
        switch = str(node.value.lower() in ("yes", "on")).lower()
        if path[-1] != "log":
            text = f"{written} is read as {switch} by some and as text by others"
            yield path, f"{text}; write {switch}, or '{node.value}' in quotes"
    elif _LEADING_ZERO.fullmatch(node.value):
        plain = re.sub(r"^([-+]?)[0_]+(?=[0-9])", r"\1", node.value)
        text = f"{written} begins with 0, which some read as octal"
        yield path, f"{text}; write {plain}, or '{node.value}' in quotes for text"
    elif node.value[:1] in _QUOTES:
        yield path, f"{written} has typographic quotes, which are part of the text; use ' or \""


def _wrong_names(path: list[str], node: MappingNode) -> Iterator[tuple[list[str], str]]:
    """Yields the names of a mapping that stand in it twice, or are no text."""
    lines: dict[str, list[int]] = defaultdict(list)
    before: tuple[Any, Any] | None = None
    for key, value in node.value:
        if not isinstance(key, ScalarNode) or key.tag == f"{_TAG}merge":
            before = None
            continue
        lines[f"{key.tag} {key.value}"].append(line(key))
        if key.value != key.value.strip() and not key.style:
            yield [*path, key.value], f"begins or ends with a no-break space (line {line(key)}); use plain spaces"
        if key.tag != f"{_TAG}str" and path[:1] not in ([name] for name in _FREE):
            if before and value.value == "" and key.tag == f"{_TAG}int":
                number = f"{before[1].value}.{key.value}"
                yield [*path, before[0].value], f"has a decimal comma in line {line(key)}; write {number}"
            else:
                kind = key.tag.removeprefix(_TAG)
                text = f"is a name (line {line(key)}) that YAML reads as {kind}, not as text; write it in quotes"
                yield [*path, key.value], text
        before = (key, value)
    for name, found in lines.items():
        if len(found) > 1:
            at = f"{', '.join(map(str, found[:-1]))} and {found[-1]}"
            times = "twice" if len(found) == 2 else f"{len(found)} times"
            yield [*path, name.partition(" ")[2]], f"stands {times}, in lines {at}; keep one of them"
