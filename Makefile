# Every target makes its own virtual environment when there is none. PYTHON chooses the interpreter (3.11, 3.12 or 3.13).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PROCESSES ?= 2

.PHONY: demo test check lint types layers bench docs clean
.DEFAULT_GOAL := help

help: ## Shows the targets.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "actbook needs Python 3.11, 3.12 or 3.13; name one with PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.developer: pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(VENV)/.installed ## Runs an example graph with live progress, then looks at what was recorded.
	@PATH="$(abspath $(BIN)):$$PATH" sh examples/demo.sh

test: $(VENV)/.developer ## Runs all tests, in as many processes as PROCESSES says.
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile

lint: $(VENV)/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.developer
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

layers: $(VENV)/.developer
	$(BIN)/lint-imports

check: lint types layers test ## Runs what CI runs: style, types, import layers, tests, snippets of the docs.

bench: $(VENV)/.developer ## Measures; prints JSON lines.
	$(BIN)/python -m benchmarks

docs: $(VENV)/.developer ## Writes the reference pages anew from the code and runs every snippet.
	$(BIN)/python -m docs.reference
	$(BIN)/python -m pytest -q tests/docs

clean: ## Removes the virtual environment and caches.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
