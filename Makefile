# Touchline: `make run` to try it, `make test` to check it. Both install what they need into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= var
PYTEST_ARGS ?=
BENCH_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install extras run test check eval bench lock clean

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

install: $(VENV)/.installed ## Install into .venv, exactly what the lock file names

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Touchline needs Python 3.11 or newer; set PYTHON=python3.11")'
	@echo "Installing into $(VENV) (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: install ## Build the demo bank if there is none, start server and UI, say where to look
	@test -e $(HOME_DIR)/home.yaml || $(BIN)/touchline demo-bank --home $(HOME_DIR)
	@exec $(BIN)/touchline up --home $(HOME_DIR)

check: install ## Lint, types, and the table of rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: check ## Everything that a bare machine can test
	@$(BIN)/pytest -n 2 --dist loadfile -m "not browser and not postgres and not slow" $(PYTEST_ARGS)

eval: install ## Run the eval suite on the offline model and write a report
	@$(BIN)/touchline eval run --report evals/runs/report.html

extras: $(VENV)/.extras ## Also install PySpark and what benchmarks measure against

$(VENV)/.extras: requirements-extras.lock $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-extras.lock
	@touch $@

bench: extras ## Measure against the budgets; results in benchmarks/results (BENCH_ARGS=--quick: a small scale)
	@$(BIN)/touchline bench $(BENCH_ARGS)

lock: ## Resolve anew and pin with hashes (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra dev pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra dev --extra spark --extra bench -c requirements.lock pyproject.toml -o requirements-extras.lock

clean: ## Remove what was built, not the homes
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
