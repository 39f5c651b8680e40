# Everything a newcomer or CI runs. Each target sets up what it needs.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start hundreds of processes: each would compile this package's sources again.
export PYTHONDONTWRITEBYTECODE :=
# For two cores: a test waits for screens and other processes a fifth of its time.
WORKERS := -n 3 --dist worksteal

.PHONY: help demo install test slow soak stress lint check bench format clean

help:            ## this list
	@grep -E '^[a-z]+: .*##|^[a-z]+:  +##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

$(VENV)/run.stamp: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps spandrel
	touch $@

demo: $(VENV)/run.stamp     ## render a short film of a nebula and say how to watch it
	$(BIN)/zoomtui demo

install: $(VENV)/dev.stamp  ## just the environment, in .venv
	@echo "Ready: $(BIN)/zoomtui --help"

test: $(VENV)/dev.stamp     ## the tests
	$(BIN)/python -m pytest $(WORKERS)

slow: $(VENV)/dev.stamp     ## the slower tests, which CI runs as well
	$(BIN)/python -m pytest $(WORKERS) -m 'slow and not soak'

soak: $(VENV)/dev.stamp     ## the long tests
	$(BIN)/python -m pytest $(WORKERS) -m soak --timeout 3600

stress: $(VENV)/dev.stamp   ## the tests ten times alone and five beside busy loops; logs in stress/
	$(BIN)/python tests/stress.py

lint: $(VENV)/dev.stamp     ## format, lint, strict types, import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test            ## all of that, and the tests

bench: $(VENV)/dev.stamp    ## the figures, as ratios against something measured in the same run
	for each in tests/benchmarks/bench_*.py; do PYTHONPATH=. $(BIN)/python $$each || exit 1; done

format: $(VENV)/dev.stamp   ## put the sources in order
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:           ## remove the environment and caches
	rm -rf $(VENV) stress build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
