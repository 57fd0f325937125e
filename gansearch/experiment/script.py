"""A script of the user's as the task of an experiment: a command, and how a trial's values reach it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, field_validator

from gansearch.experiment.base import Model, Plain
from gansearch.experiment.paths import Folder, expanded
from gansearch.experiment.placeholders import parts
from gansearch.experiment.words import is_number

_SHELL = re.compile(r"\$\w+|\$\(|`|[|&;<>]+|(?<!\S)~|(?:(?<=\n)|\A)\s*[A-Za-z_]\w*=\S*(?=\s)")
"""What a shell would read in a text outside of quotes."""
_DOUBLE = re.compile(r"\$\w+|\$\(|`")
"""What it would read within double quotes."""
_REMEDIES = {
    "|": "what a script prints is read and kept anyway",
    ">": "what a script prints is read and kept anyway",
    "<": "give a file's name to the script",
    "&": "one command runs, and what it starts ends with it; put several into a script of yours",
    ";": "one command runs; put several into a script of yours",
    "$": "give it under env:, or write the value",
    "`": "write the value",
    "~": "write the whole path",
}


def _words(command: Any) -> Any:
    """The words of a command: a text is split as a shell would, which reads nothing else of it.

    Raises:
        ValueError: It needs a shell, has a quote without its other one, or no word at all.
    """
    if isinstance(command, str):
        _refuse_shell(command)
        try:
            command = shlex.split(command.replace("\\\n", " "))
        except ValueError as error:
            raise ValueError(f"must be a command ({str(error).lower()})") from None
    if isinstance(command, list | tuple):
        if not command:
            raise ValueError("must be a command with at least one word")
        command = [str(word) if is_number(word) else word for word in command]
        for word in _filled(command):
            if isinstance(word, str):
                _check_word(word)
    return command


def _refuse_shell(text: str) -> None:
    for pattern, piece in _unquoted(text):
        found = pattern.search(piece)
        if found:
            sign = found[0].strip()
            remedy = _REMEDIES.get(sign[0], "give it under env:")
            raise ValueError(f"must do without a shell, which would read the {sign}: {remedy}; in quotes it is text")


def _unquoted(text: str) -> Iterator[tuple[re.Pattern[str], str]]:
    """Yield the pieces of a text that a shell reads, each with what it would find there."""
    pattern = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\{[^}]*\}""", re.DOTALL)
    for quoted in pattern.findall(text):
        if quoted[0] == '"':
            yield _DOUBLE, re.sub(r"\$\{[^}]*\}|\\.", "", quoted, flags=re.DOTALL)
    yield _SHELL, pattern.sub("_", text)


def _check_word(word: str) -> None:
    if word.endswith(".ipynb"):
        raise ValueError(f"cannot run a notebook; write it as a script: jupyter nbconvert --to script {word}")
    if "\0" in word:
        raise ValueError("holds a zero byte, which no word of a command can")


_WORDS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Words = Annotated[list[str], BeforeValidator(_words), WithJsonSchema(_WORDS)]
"""A command: a text, which is split into words as a shell would split it, or a list of words."""


def _filled(value: Any) -> Any:
    """A value whose texts may hold `{name}`.

    Raises:
        ValueError: A brace is part of none, or the quotes around one are missing, which makes it a mapping.
    """
    if isinstance(value, dict) and list(value.values()) == [None]:
        raise ValueError(f'is a mapping for YAML; in quotes it is a value of the trial: "{{{next(iter(value))}}}"')
    if isinstance(value, dict):
        return {key: _filled(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(one) for one in value]
    if isinstance(value, str):
        parts(value)
    return value


Filled = Annotated[Plain, BeforeValidator(_filled)]
"""A plain value; in a text, `{name}` stands for a value of the trial."""
FilledText = Annotated[str, BeforeValidator(_filled)]
FilledData = Annotated[Any, BeforeValidator(_filled)]


class DistanceCommand(Model):
    """A command that prints the distance of what a trial left behind, as the last number of its output."""

    command: Words


class Settings(Model):
    """A file of settings that is written for each trial: another one with some values set."""

    model_config = ConfigDict(populate_by_name=True)

    source: str = Field("", alias="from")
    """The file that it is made from, which never changes; when not given, the one of its own name."""
    values: dict[str, FilledData] = Field({}, alias="set")
    """Values by their dotted path, such as `model.optimizer.lr` or `losses[0].weight`; `+path` adds one that the file
    does not have."""


class ScriptTask(Model):
    """A command that trains a GAN, run once for each seed of each trial in a copy of its code.

    In its texts `{name}` stands for a searched value, or one of `params:`, or out, seed, updates, gpus, gpu_ids, port,
    here, python.
    """

    command: Words
    """The command, a text that is split into words once, or a list of words. No shell reads it."""
    metrics: FilledText = ""
    """What the script writes its progress to: a file or a pattern such as `{out}/events.*`; when not given, what it
    prints."""
    distance: (
        Annotated[
            Annotated[str, Tag("<column>")] | Annotated[DistanceCommand, Tag("<command>")],
            Discriminator(lambda given: "<column>" if isinstance(given, str) else "<command>"),
        ]
        | None
    ) = None
    """A column of what the script writes, smaller is better; or `command:`, which is run on what it left in `{out}` and
    prints one number."""
    files: dict[FilledText, Settings] = Field({})
    """YAML, JSON and TOML files that are written for each trial, by their path in the copy."""
    edits: dict[str, Filled] = Field({})
    """New values in the copy's code: `train.py: n_critic` is what is assigned to a name, `train.py: optimizerD.lr` an
    argument of the call that is assigned, `train.py: Trainer().steps` one of a call, and `train.py: seed` a line that
    sets all seeds. A text is Python."""
    patch: str = ""
    """A unified diff that is applied to the copy, before the edits."""
    env: dict[str, Filled] = Field({})
    """Variables of the environment, beside those of this machine."""
    here: Folder = Field(".", validate_default=True)
    """The folder that the command is written for, and that relative paths are relative to; that of the experiment's
    file."""
    root: str = "."
    """The folder of which each trial runs in a copy: `here`, or one above it whose modules and data it reads."""
    cwd: Literal["copy", "here"] = "copy"
    """Where the script runs: at its place in the copy, or with `here` among the user's own files."""
    link: list[str] = Field([])
    """Folders and files of data that the copy has links to, rather than copies of."""
    mkdir: list[FilledText] = Field([])
    """Folders that the script expects to find."""
    stop_signal: Literal["SIGTERM", "SIGINT"] = "SIGTERM"
    """How the script is asked to end; SIGINT where it saves on KeyboardInterrupt alone."""
    limit_seconds: float | None = Field(None, gt=0)
    """Seconds after which a run has failed."""
    loss: Literal["", "bce", "bce-sum", "bce-mean", "hinge", "lsgan", "wgan"] = ""
    """The adversarial loss, where what is written does not say it; -sum or -mean for what D's is of its two halves."""
    columns: dict[str, str] = Field({})
    """What columns are where their names do not say it, like `--columns` of `gansearch diagnose`: `{d_loss: errD}`."""

    @field_validator("edits")
    @classmethod
    def _edit_keys(cls, edits: dict[str, Any]) -> dict[str, Any]:
        for key in edits:
            file, colon, target = key.partition(":")
            if not (file.strip().endswith(".py") and colon and target.strip()):
                raise ValueError(f"has {key!r} for a name; write FILE.py: NAME, such as train.py: optimizerD.lr")
        return edits

    @field_validator("env")
    @classmethod
    def _variables(cls, env: dict[str, Any]) -> dict[str, Any]:
        for name in env:
            if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
                raise ValueError(f"has {name!r} for a name; a variable's is of letters, digits and _")
        return env

    @property
    def name(self) -> str:
        """What messages and tables call it: the name of the script's file, or of the module that `-m` runs."""
        place = self.script_place
        return PurePosixPath(self.command[place]).name

    @property
    def script_place(self) -> int:
        """The place among the words of the script's file, or of the module's name; 0 for any other program."""
        for place, word in enumerate(self.command):
            if word.endswith(".py") or (place and self.command[place - 1] == "-m"):
                return place
        return 0

    @property
    def script(self) -> Path | None:
        """The user's file that Python runs, which need not exist; None where the command is another program."""
        place = self.script_place
        word = self.command[place]
        if word.endswith(".py"):
            return Path(self.here, word)
        if not place:
            return None
        module = Path(self.here, *word.split("."))
        return module / "__main__.py" if module.is_dir() else module.with_suffix(".py")

    @property
    def texts(self) -> list[Any]:
        """All that may hold `{name}`."""
        command = self.distance.command if isinstance(self.distance, DistanceCommand) else []
        settings = {target: file.values for target, file in self.files.items()}
        return [self.command, self.metrics, command, settings, list(self.edits.values()), self.env, self.mkdir]

    @property
    def plain(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as plain data."""
        return self.model_dump(mode="json", exclude_defaults=True, by_alias=True)

    def path(self, text: str) -> Path:
        """Return a path of the file as an absolute one; `~` is the user's home."""
        return Path(os.path.abspath(Path(self.here, expanded(text))))  # noqa: PTH100 (links stay as they are)

    def below(self, folder: Path) -> ScriptTask:
        """Return this task for a process whose working folder is a copy of `folder`, with code relative to it."""
        here = Path(self.here)
        if not here.is_relative_to(folder):
            return self

        def there(text: str) -> str:
            return text if not text or self.path(text).is_relative_to(folder) else str(self.path(text))

        files = {name: file.model_copy(update={"source": there(file.source)}) for name, file in self.files.items()}
        moved = {"here": str(here.relative_to(folder)), "files": files, "patch": there(self.patch)}
        return self.model_copy(update={**moved, "link": [str(self.path(one)) for one in self.link]})
