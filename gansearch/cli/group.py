"""The group of all commands: how a command ends that raises."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from gansearch.cli.terminal import say

_OPENING = ("status", "watch", "report", "export", "dashboard")
"""The commands that run nothing of the user's, but open a folder."""
_REASON = 200
"""Most characters of an exception in a message."""


class Commands(TyperGroup):
    """Ends an expected error with a message and an exit status instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command. An exception that has no `exit_status` and is no KeyboardInterrupt is raised as it is.

        But for commands that open a folder, which anybody may have made: these say it in a line, and raise in Python's
        development mode.
        """
        try:
            result = super().invoke(ctx)
            self._check_output(ctx.invoked_subcommand)
            return result
        except KeyboardInterrupt as error:
            if str(error):
                say(f"\n{error}", file=sys.stderr)
            if hasattr(error, "folder"):  # the command is on a line of its own, so that it can be copied whole
                words = [word for word in sys.argv[1:] if word != "--resume"]
                say(f"go on with:\n{shlex.join(['gansearch', *words, '--resume'])}", file=sys.stderr)
            raise typer.Exit(130) from None
        except Exception as error:
            if not hasattr(error, "exit_status"):
                if ctx.invoked_subcommand not in _OPENING or sys.flags.dev_mode:
                    raise
                say(
                    f"error: {_reason(error)}; the folder holds what no sweep has written, or this is a fault of "
                    "gansearch: PYTHONDEVMODE=1 shows the traceback",
                    file=sys.stderr,
                )
                raise typer.Exit(2) from None
            say(f"error: {error}", file=sys.stderr)
            raise typer.Exit(error.exit_status) from None

    def _check_output(self, command: str) -> None:
        """Ends with 1 where what was printed is lost, as on a full disk. A sweep has its results in its folder."""
        sys.stdout.flush()
        if trouble := getattr(sys.stdout, "trouble", ""):
            say(f"{'warning' if command == 'sweep' else 'error'}: stdout is incomplete: {trouble}", file=sys.stderr)
            if command != "sweep":
                raise typer.Exit(1)


def _reason(error: Exception) -> str:
    """Returns an exception in a line, with where it was raised, for whoever looks for the reason."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{where}: {' '.join(str(error).split())[:_REASON]}"
