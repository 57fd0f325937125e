"""The group of all commands: how a command ends that raises."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import typer
from typer.core import TyperGroup


class Commands(TyperGroup):
    """Ends an expected error with a message and an exit status instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command. An exception that has no `exit_status` and is no KeyboardInterrupt is raised as it is."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            if str(error):
                print(f"\n{error}", file=sys.stderr)
            if hasattr(error, "folder"):  # the command is on a line of its own, so that it can be copied whole
                words = [word for word in sys.argv[1:] if word != "--resume"]
                print(f"go on with:\n{shlex.join(['gansearch', *words, '--resume'])}", file=sys.stderr)
            raise typer.Exit(130) from None
        except Exception as error:
            if not hasattr(error, "exit_status"):
                raise
            print(f"error: {error}", file=sys.stderr)
            raise typer.Exit(error.exit_status) from None
