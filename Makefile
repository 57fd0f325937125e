# make sweep: installs into .venv and runs the digits sweep; a second time it goes on, or shows the finished one.
# make test:  installs what it needs and runs every check.
# make docs:  the documentation as a site in build/site; a warning is an error.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: sweep test docs format clean

sweep: .venv/installed
	$(BIN)/gansearch sweep experiments/digits.yaml --resume

test: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

docs: .venv/tested
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo 'wrote build/site/index.html'

format: .venv/tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gansearch needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e .
	touch $@

.venv/tested: .venv/installed
	$(BIN)/pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
