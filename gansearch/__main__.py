"""`python -m gansearch` is the `gansearch` command."""

from gansearch.cli import main

main()
