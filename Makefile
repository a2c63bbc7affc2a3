# One virtual environment, two fillings: what running needs (make demo) and what developing needs (make test).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
# How many test processes; PostgreSQL needs some of the cores too. Each takes neighbouring tests, which share servers.
WORKERS ?= auto

# Hundreds of programs are started here: each would compile the whole project again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.SUFFIXES:

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | awk -F'|' '{printf "  make %-15s %s\n", $$1, $$2}'

.PHONY: demo
demo: $(RUNTIME) ## Play one business day through a real server and settle it
	$(BIN)/python -m exchange demo

.PHONY: serve
serve: $(RUNTIME) ## Serve the exchange (settings from EXCHANGE_* variables)
	$(BIN)/python -m exchange serve

.PHONY: setup
setup: $(DEV) ## Create .venv from the hash-locked requirements (instant when nothing changed)

.PHONY: test
test: setup ## Check, then all tests on a real PostgreSQL, and the ledger's on a compiled copy
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
	$(MAKE) --no-print-directory test-compiled

COMPILED := build/compiled
# What the compiled copy must do as the sources do. Where nothing can be compiled there is nothing to try.
ALIKE := tests/unit/test_compiling.py tests/unit/ledger tests/unit/rules tests/integration/ledger \
	tests/contract/test_movements.py \
	tests/contract/test_batches.py tests/contract/test_idempotency.py tests/contract/test_conversion_refusals.py

.PHONY: compiled
compiled: setup ## A copy of the exchange with its busiest modules compiled, where there is a C compiler
	$(BIN)/python -m exchange.compiling $(COMPILED) || [ $$? -eq 3 ]

.PHONY: test-compiled
test-compiled: compiled ## The ledger's tests against that copy
	if [ -d $(COMPILED) ]; then cd $(COMPILED) && $(CURDIR)/$(BIN)/python -m pytest -n $(WORKERS) $(ALIKE); fi

.PHONY: check
check: check-code check-imports check-protos ## Formatting, lint, types, architecture, protos

.PHONY: check-code
check-code: $(DEV)
	$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff .; exit 1; }
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary

.PHONY: check-imports
check-imports: $(DEV)
	$(BIN)/lint-imports --cache-dir .state/import-linter
	@for folder in exchange/db/migrations/versions settlement/migrations/versions; do \
		ls $$folder | sed -n 's/^\([0-9]*\)_.*\.py$$/\1/p' | uniq -d | sed "s|.*|two migrations & in $$folder|"; \
	done | { ! grep . >&2; }

.PHONY: check-protos
check-protos: $(DEV)
	$(BIN)/python protos/generate.py check

.PHONY: format
format: $(DEV) ## Format the code and the protos, and mend what can be mended safely
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format --quiet .
	$(BIN)/buf format --write protos

.PHONY: protos
protos: $(DEV) ## Regenerate exchange/v1 and settlement/v1 from protos/
	$(BIN)/python protos/generate.py write

.PHONY: protos-accept
protos-accept: $(DEV) ## Make the present protos the ones later changes must stay compatible with
	$(BIN)/python protos/generate.py accept

HORDAK := .venv-hordak/.installed

.PHONY: bench-growth
bench-growth: compiled ## The same work as the ledger grows; ARGS=--full for ten million transfers (half an hour, 20 GB)
	$(BIN)/python -m bench.growing $(ARGS)

.PHONY: bench-settling
bench-settling: setup ## Closing, running, recounting and netting as windows and files grow; ARGS=--full for ten millions
	$(BIN)/python -m bench.settling $(ARGS)

.PHONY: bench-liquidity
bench-liquidity: setup ## How many queues of whole items are proven best, for how much work (an hour of a core)
	$(BIN)/python -m bench.liquidity $(ARGS)

.PHONY: bench-watching
bench-watching: compiled ## How far behind watchers are at full posting speed, and what a hundred slow ones cost
	$(BIN)/python -m bench.watching $(ARGS)

.PHONY: bench-retiring
bench-retiring: compiled ## What posters notice while partitions of old transfers leave the ledger
	$(BIN)/python -m bench.retiring $(ARGS)

.PHONY: bench-flames
bench-flames: compiled ## Where the server's time goes, as flame graphs in docs/flames; needs leave to look into processes
	$(BIN)/python -m bench.flames $(ARGS)

.PHONY: bench-counting
bench-counting: compiled ## How many instructions a conversion takes the ledger, by function; needs valgrind
	$(BIN)/python -m bench.counting $(ARGS)

# A yardstick with an environment of its own: Django is nothing of ours.
$(HORDAK): bench/baselines/hordak-requirements.txt | $(BIN)/python
	$(PYTHON) -m venv .venv-hordak
	.venv-hordak/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

.PHONY: bench
bench: compiled $(HORDAK) ## Measure throughput beside its yardsticks (a few minutes; ARGS=--quick for one short round)
	$(BIN)/python -m bench $(ARGS)

.PHONY: bench-smoke
bench-smoke: compiled ## Ratios against committed floors, never times: has something become much slower?
	$(BIN)/python -m bench --smoke

.PHONY: bench-full
bench-full: compiled $(HORDAK) ## The same, more often and for longer (half an hour)
	$(BIN)/python -m bench --full

# Without --python-version the answer would depend on who asks; hashes make a tampered download fail to install.
COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --custom-compile-command "make lock" --quiet

.PHONY: lock
lock: $(DEV) ## Bring both requirements files up to date with pyproject.toml
	$(BIN)/$(COMPILE) --extra dev --output-file requirements-dev.txt
	$(BIN)/$(COMPILE) --constraint requirements-dev.txt --output-file requirements.txt
	$(BIN)/$(subst pyproject.toml,bench/baselines/hordak-requirements.in,$(COMPILE)) \
	--output-file bench/baselines/hordak-requirements.txt

.PHONY: clean
clean: ## Remove the environment, caches and local database clusters
	@if [ -e $(RUNTIME) ]; then $(BIN)/python -m exchange.db.embedded remove; fi
	rm -rf $(VENV) .venv-hordak .state build dist *.egg-info bench/results/tmp
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

# The locked list is complete, so nothing is resolved; Python compiles a module when it is first imported.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile

$(RUNTIME): requirements.txt | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements-dev.txt
	$(INSTALL) --no-build-isolation --editable .
	@touch $(RUNTIME) $@
