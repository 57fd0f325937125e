"""`python -m gansearch`: the command, where its script is not on the PATH, as in a Ray job."""

import os
import sys

# Python puts the current directory first, where a user's random.py would be taken for the standard library's.
if sys.path[0] in ("", os.getcwd()):  # noqa: PTH109 (pathlib would be imported from there)
    sys.path.append(sys.path.pop(0))

from gansearch.cli.main import main

main()
