"""Pages that are made from the code: all but one when the site is built, so that they cannot lag behind it.

    python docs/site/pages.py > docs/experiment.md

The reference of the experiment file lies in docs/, for those who read it there; a test compares it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import gansearch
from gansearch.experiment import schema

DOCS = Path(__file__).parents[1]
EXPERIMENT = """# The experiment file

Everything that there is to set, made from the models that check the file. `gansearch schema` prints the same as a JSON
schema, which editors complete and check by: put `# yaml-language-server: $schema=schema.json` at the top of the file.
Any field can be set for one call: `--set training.updates=2000`.
"""
PYTHON = """# Python

All that `import gansearch` promises. Whatever else there is may change.
"""
_OUTWARD = re.compile(r"\[([^\]]*)\]\(\.\./[^)]*\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """No script from elsewhere: the offline plugin would load one, for browsers without workers on file: pages."""
    config.extra["polyfills"] = []
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made."""
    pages = {"commands.md": commands(), "python.md": python(), "notebook.md": notebook()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **kwargs: Any) -> str:
    """The site ends at docs/: what lies beside it in the repository is named, not linked."""
    return _OUTWARD.sub(r"\1", markdown)


def python() -> str:
    """What `gansearch.__all__` names, from docstrings."""
    return PYTHON + "".join(f"\n::: gansearch.{name}\n" for name in gansearch.__all__)


def commands() -> str:
    """What `--help` says of each command."""
    command = [sys.executable, "-m", "typer", "gansearch.cli.main", "utils", "docs", "--name", "gansearch"]
    text = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    return text.replace("# `gansearch`\n", "# Commands\n", 1)


def notebook() -> str:
    """The notebook's cells, without outputs."""
    cells = nbformat.read(DOCS / "notebook.ipynb", as_version=4).cells
    texts = [f"```python\n{c.source}\n```" if c.cell_type == "code" else c.source for c in cells]
    where = "This is `docs/notebook.ipynb` of the repository, which shows the figures when it is run."
    return "\n\n".join([texts[0], where, *texts[1:]])


def experiment() -> str:
    """A table of the fields of each section, from the JSON schema."""
    tree = schema()
    sections = {
        "": tree,
        "task": tree["$defs"]["ScriptTask"],
        "training": tree["$defs"]["Training"],
        "search": tree["$defs"]["Range"],
    }
    rest = ("replicas", "sampler", "confirm", "resources", "limits")
    sections |= {name: tree["$defs"][name.capitalize()] for name in rest}
    parts = [EXPERIMENT]
    for name, model in sections.items():
        parts.append(f"## `{name}:`\n" if name else "## At the top\n")
        about = model.get("description", "") if name else ""
        if name == "search":
            about = "For each field of `training:` a plain value, `{choices: [...]}`, or a range. A range has:"
        if about:
            parts.append(f"{about}\n")
        head = ["| field | what may stand there | default | |", "|---|---|---|---|"]
        parts.append("\n".join([*head, *_rows(model)]) + "\n")
    return "\n".join(parts)


def _rows(model: dict[str, Any]) -> Iterator[str]:
    for name, field in model["properties"].items():
        default = "needed" if name in model.get("required", ()) else _value(field.get("default"))
        text = field.get("description", "").replace("\n", " ").replace("|", "\\|")
        yield f"| `{name}` | {', or '.join(dict.fromkeys(_allowed(field)))} | {default} | {text} |"


def _allowed(field: dict[str, Any]) -> Iterator[str]:
    """What a field of the schema takes, one way after the other."""
    for one in [*field.get("anyOf", ()), *field.get("oneOf", ())]:
        yield from _allowed(one)
    if "enum" in field:
        yield ", ".join(f"`{value}`" for value in field["enum"])
    elif "const" in field:
        yield f"`{field['const']}`"
    elif field.get("$ref"):
        yield "its fields below" if not field["$ref"].endswith(("Range", "Choices")) else "an entry"
    elif "type" in field:
        bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
        limits = " and ".join(f"{sign} {field[key]:g}" for key, sign in bounds.items() if key in field)
        kinds = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "`true`, `false`"}
        kinds |= {"array": "a list", "object": "fields", "null": "`null`"}
        yield f"{kinds[field['type']]} {limits}".strip()


def _value(default: Any) -> str:
    """A default as YAML has it; sections say theirs by themselves."""
    return "" if isinstance(default, dict) else f"`{json.dumps(default).strip(chr(34))}`"


if __name__ == "__main__":
    print(experiment(), end="")
