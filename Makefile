# Two commands for people: `make chat` opens the chat window, `make test` runs all tests.
# `make check` is what contributors and continuous integration run.

PYTHON ?= python3.11
INDEX ?= my-index
VENV := .venv
BIN := $(VENV)/bin

.PHONY: chat test check lint types gate format measure clean

chat: $(VENV)/.installed
	$(BIN)/rag index seeds --index $(INDEX)
	$(BIN)/rag chat --index $(INDEX)

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

check: lint types test gate

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/python tests/check_types.py

gate: $(VENV)/.installed
	$(BIN)/rag eval gate seeds --backend extractive

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

measure: $(VENV)/.installed
	$(BIN)/rag eval seeds --backend extractive

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; name another 3.11+ with: make PYTHON=python3 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps make a second run install nothing.
$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@ $(VENV)/.installed
