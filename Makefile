# Everything a developer or CI does, by name. Needs python3.11 or newer with venv and pip; uses nothing else.
PYTHON ?= python3.11
VENV   ?= .venv
BIN     = $(VENV)/bin
# The versions that all targets install; `make test CONSTRAINTS=` takes the newest instead.
CONSTRAINTS ?= constraints.txt
# A virtual environment that uv made has no pip.
HAS_PIP = $(BIN)/python -m pip --version > /dev/null 2>&1 || $(BIN)/python -m ensurepip --default-pip > /dev/null
INSTALL = $(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable

# Each of some thousand processes of the tests would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test quick check lint fix bench constraints sagemaker clean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "smbench needs $(PYTHON); set PYTHON=... to another 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing: on Debian, apt install python3-venv" >&2; exit 1; }

$(VENV)/.installed: pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	@$(HAS_PIP)
	$(INSTALL) .
	@touch $@

# Compiled when first imported, as most of it never is: to compile all takes as long as to unpack it.
$(VENV)/.installed-dev: pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	@$(HAS_PIP)
	$(INSTALL) '.[dev]' --no-compile
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: $(VENV)/.installed
	$(INSTALL) '.[bench]'
	@touch $@

demo: $(VENV)/.installed  ## run the quick-start scenario on the emulated endpoint; no AWS account, half a minute
	$(BIN)/smbench run

# Three parts at once that take about as long, for half of the first one's time is waiting; each prints its own closing line.
# The types are checked when the first has ended, which is the shortest: before all tests, a core would be idle meanwhile.
PART_1 = tests/cli tests/emulator tests/house
PART_2 = tests/api tests/contract tests/golden
PART_3 = tests/engine tests/property tests/unit

test: lint  ## what CI runs: all checks and all tests
	@said=$$(mktemp -d); status=0; \
	$(BIN)/python -m pytest $(PART_2) > "$$said/2" 2>&1 & second=$$!; \
	$(BIN)/python -m pytest $(PART_3) > "$$said/3" 2>&1 & third=$$!; \
	trap 'kill $$second $$third 2>/dev/null' INT TERM; \
	$(BIN)/python -m pytest $(PART_1) || status=$$?; \
	$(BIN)/mypy || status=$$?; $(BIN)/lint-imports --no-cache || status=$$?; \
	wait $$second || status=$$?; cat "$$said/2"; \
	wait $$third || status=$$?; cat "$$said/3"; rm -rf "$$said"; \
	exit $$status

quick: $(VENV)/.installed-dev  ## unit, property and engine tests but the slow ones, a minute of CPU
	$(BIN)/python -m pytest -m "not slow" --hypothesis-profile quick tests/unit tests/property tests/engine

check: lint  ## formatting, lint, types, import contracts
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench

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

constraints:  ## resolve constraints.txt anew; needs the package registry
	@new=$$(mktemp -d) && trap 'rm -rf "$$new"' EXIT && $(PYTHON) -m venv "$$new/venv" \
	  && "$$new/venv/bin/python" -m pip install --quiet '.[bench,dev]' \
	  && "$$new/venv/bin/python" -m pip uninstall --quiet --yes smbench \
	  && { grep '^#' constraints.txt; "$$new/venv/bin/python" -m pip freeze; } > "$$new/constraints.txt" \
	  && mv "$$new/constraints.txt" constraints.txt && git --no-pager diff --stat constraints.txt

sagemaker: $(VENV)/.installed-dev  ## the SageMaker Python SDK against the emulator; 190 MB of packages, three minutes
	SMBENCH_SAGEMAKER_SDK=1 $(BIN)/python -m pytest tests/contract/test_sagemaker_sdk.py

clean:  ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
