# make sweep: installs into .venv and runs the digits sweep; a second time it goes on, or shows the finished one.
# make test:  installs what it needs and runs every check.
# make quick: every check that starts no Ray and takes no long time, for the loop of writing.
# make integrations: the monitor in Lightning, Keras, Ignite, MONAI and accelerate themselves.
# make distances: the distances on features of transformers, and by SDMetrics, with the packages themselves.
# make docs:  the documentation as a site in build/site; a warning is an error.
PYTHON ?= python3
BIN := .venv/bin
# Two processes of tests. Each runs whole files and has a Ray of its own; conftest.py puts long files first.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: sweep test quick integrations distances lint docs format programs clean

sweep: .venv/installed
	$(BIN)/gansearch sweep experiments/digits.yaml --resume

# Tests start hundreds of Pythons. What these import is compiled once, by the first of them, and not the rest by pip.
test: export PIP_NO_COMPILE = 1
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/tested
	$(MAKE) -j 2 lint programs
	$(PYTEST)

quick: lint
	$(PYTEST) -m 'not ray and not slow'

integrations: .venv/installed
	$(BIN)/pip install --quiet -c constraints.txt -e '.[integrations]' pytest pytest-timeout
	$(BIN)/pytest -rs tests/stability/test_lightning.py tests/stability/test_keras.py tests/stability/test_ignite.py

distances: .venv/installed
	$(BIN)/pip install --quiet -c constraints.txt -e '.[features,sdmetrics]' pytest pytest-timeout
	$(BIN)/pytest -rs tests/test_distances.py tests/gan/distances tests/gan/features

lint: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/tested
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo 'wrote build/site/index.html'

format: .venv/tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What some tests need of the operating system. They are skipped where it cannot be installed, and the end of a run says so.
programs:
	@which chromium chromedriver shellcheck >/dev/null || test "$$(id -u)" != 0 || ! which apt-get >/dev/null || { \
	  apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium chromium-driver shellcheck; } \
	  >/dev/null 2>&1 || true

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gansearch needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml gansearch/__init__.py constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e .
	touch $@

.venv/tested: .venv/installed
	$(BIN)/pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
