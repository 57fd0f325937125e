"""The group of all commands: how a command ends that raises."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from gansearch.cli.terminal import say


class Commands(TyperGroup):
    """Ends an expected error with a message and an exit status instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command. An exception that has no `exit_status` and is no KeyboardInterrupt is raised as it is."""
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
                raise
            say(f"error: {error}", file=sys.stderr)
            raise typer.Exit(error.exit_status) from None

    def _check_output(self, command: str) -> None:
        """Ends with 1 where what was printed is lost, as on a full disk. A sweep has its results in its folder."""
        sys.stdout.flush()
        if trouble := getattr(sys.stdout, "trouble", ""):
            say(f"{'warning' if command == 'sweep' else 'error'}: stdout is incomplete: {trouble}", file=sys.stderr)
            if command != "sweep":
                raise typer.Exit(1)
