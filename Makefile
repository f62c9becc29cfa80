# Everything a developer or CI does, by name. Needs python3.11 or newer with venv and pip; uses nothing else.
PYTHON ?= python3.11
VENV   ?= .venv
BIN     = $(VENV)/bin

.PHONY: help demo test quick check fix bench clean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "smbench needs $(PYTHON); set PYTHON=... to another 3.11 or newer" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "the venv module is missing: on Debian, apt install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@

demo: $(VENV)/.installed  ## run the quick-start scenario on the emulated endpoint; no AWS account, half a minute
	$(BIN)/smbench run

test: check  ## what CI runs: all checks, then all tests
	$(BIN)/python -m pytest

quick: $(VENV)/.installed-dev  ## unit, property and engine tests but the slow ones, under a minute
	$(BIN)/python -m pytest -m "not slow" tests/unit tests/property tests/engine

check: $(VENV)/.installed-dev  ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fix: $(VENV)/.installed-dev  ## format and mend what ruff can mend
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench

bench: $(VENV)/.installed-bench  ## measure the generator itself; takes some minutes, wants a quiet machine
	$(BIN)/python bench/live_view.py
	$(BIN)/python bench/schedule_lag.py
	$(BIN)/python bench/whole_life.py
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/emulator.py
	$(BIN)/python bench/report.py
	$(BIN)/python bench/clients.py

clean:  ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
