# Everything is made from here: `make run`, `make test`, `make stress`, `make bench`. Only Python >= 3.11 and make are
# needed; each target prepares what it needs once (the stamp files remember) and then does its job.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: help setup run test lint wheel-check stress bench docs clean

# The first interpreter that is new enough. PYTHON=/path/to/python overrides.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.installed
# A second environment that holds the dependencies but not the project: the wheel is tried out in it.
CLEAN := .cache/wheel-venv
PIP := -m pip --disable-pip-version-check --quiet
# xdist workers; the machine decides how many cores there are, not how many a test may assume.
JOBS ?= 2
PYTEST ?=

help:
	@echo 'make run [SIZE=1GB]                 prepare, then plan and run the mosaic (default 10GB)'
	@echo 'make test                           prepare, then linters, types, wheel and test suite'
	@echo 'make stress                         the long suite (crashes, large instances)'
	@echo 'make docs                           the documentation as pages in .cache/docs; warnings are errors'
	@echo 'make bench [ROW=name]               all benchmarks, or benchmarks/name.py'

setup: $(SETUP)

$(SETUP): pyproject.toml
	@test -n "$(PYTHON)" || { echo 'make: no Python >= 3.11 found; set PYTHON=/path/to/python' >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'setting up $(VENV)' >&2
	$(BIN)/python $(PIP) install -e '.[dev]'
	@touch $@

run: $(SETUP)
	$(BIN)/python instances/mosaic/main.py $(if $(SIZE),--size $(SIZE))

test: lint wheel-check
	$(BIN)/python -m pytest -m 'not stress' -n $(JOBS) $(PYTEST)

lint: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The suite runs on the editable install, where a module missing from the wheel would not be missed.
wheel-check: $(SETUP) $(CLEAN)/.installed
	rm -rf build .cache/dist
	$(BIN)/python -m build --wheel --outdir .cache/dist . >.cache/build.log 2>&1 || { cat .cache/build.log >&2; exit 1; }
	rm -rf build
	$(CLEAN)/bin/python $(PIP) install --force-reinstall --no-deps .cache/dist/*.whl
	$(CLEAN)/bin/python -m pip check
	bash .ci/try-wheel $(CLEAN)/bin

$(CLEAN)/.installed: pyproject.toml
	@test -x $(CLEAN)/bin/python || $(PYTHON) -m venv $(CLEAN)
	@echo 'setting up $(CLEAN)' >&2
	$(CLEAN)/bin/python $(PIP) install .
	@touch $@

stress: $(SETUP)
	$(BIN)/python -m pytest -m stress -n $(JOBS) $(PYTEST)

bench: $(SETUP)
	@set -e; for script in $(if $(ROW),benchmarks/$(ROW).py,$(sort $(wildcard benchmarks/*.py))); do \
		case $$script in */__init__.py) continue;; esac; \
		echo "== $$script"; $(BIN)/python $$script; done

docs: $(SETUP)
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d .cache/doctrees docs .cache/docs
	@echo '.cache/docs/index.html'

clean:
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
