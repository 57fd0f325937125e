"""`python -m gansearch`: the command, where its script is not on the PATH, as in a Ray job."""

from gansearch.cli.main import main

main()
