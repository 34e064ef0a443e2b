# Every target sets itself up: Python 3.11 or newer with venv, and make, are all a machine needs.
# `make` alone lists the targets.

PYTHON ?= python3
PY := .venv/bin/python
PYTEST := $(PY) -m pytest --timeout 300
SUITE ?= spine
JOBS ?= 2
# Tests start programs by the hundred, and each would compile the source anew where its bytecode may not be kept.
export PYTHONDONTWRITEBYTECODE :=
TESTS ?= not slow
EXAMPLES ?= 20000
PIP := $(PY) -m pip --disable-pip-version-check install -qq --constraint constraints.txt
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-full fuzz check accept bench bench-peers bench-decisions bench-monitors bench-loop shape fix clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.demo ## the whole loop on ten months of real flights, hands off
	@.venv/bin/headgate demo

test: .venv/.dev ## the tests that need Python and make alone; ends by listing what it did not run
	@$(PYTEST) -n $(JOBS) -m "not full and not slow"

test-full: .venv/.full ## every test but the long forms, with real parts; fails when one is missing
	@$(PY) tools/real_parts.py
	@HEADGATE_FULL=1 $(PYTEST) -n $(JOBS) -m "$(TESTS)"

fuzz: .venv/.dev ## damaged requests to every door, for a long time: make fuzz EXAMPLES=20000
	@HEADGATE_FUZZ_EXAMPLES=$(EXAMPLES) $(PYTEST) -n $(JOBS) --timeout 7200 --hypothesis-profile fuzz tests/gateway/test_fuzzed_doors.py

check: .venv/.dev ## format, lint, strict types, import contracts, spelling, executed documentation
	@$(PY) tools/check.py

accept: .venv/.dev ## one acceptance suite on a fresh clone: make accept SUITE=spine
	@$(PY) -m acceptance $(SUITE)

bench: .venv/.dev ## speed beside the bare reference and FastAPI
	@$(PY) -m benchmarks

bench-peers: .venv/.dev ## speed beside other model servers, each from an environment of its own
	@$(PY) -m benchmarks.peers

bench-decisions: .venv/.dev ## how often rollouts would be decided wrongly, and how soon rightly, beside other rules
	@$(PY) -m benchmarks.decisions

bench-monitors: .venv/.dev ## what monitors promise: speed beside peers, false alarms, delays, the kind of drift named
	@$(PY) -m benchmarks.monitors

bench-loop: .venv/.full ## what the closed loop promises: real flights beside a judge, streams whose truth is known
	@$(PY) -m benchmarks.loop

shape: .venv/.dev ## the size and shape of the source as a table
	@$(PY) tools/shape.py

fix: .venv/.dev ## format, and mend what the linter can mend
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

clean: ## remove the environment and everything built
	@rm -rf .venv build

.venv/bin/python:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Headgate needs Python 3.11 or newer with venv; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv

.venv/.demo: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing Headgate and what its demo needs into .venv, once ..."
	@$(PIP) --editable '.[platform,demo]'
	@touch $@

.venv/.dev: pyproject.toml clients/python/pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing Headgate and its development tools into .venv, once ..."
	@$(PIP) --editable '.[platform,grpc,lightgbm,polars,postgres,kafka,nats,auth,demo,dev]' --editable clients/python
	@touch $@ .venv/.demo

.venv/.full: .venv/.dev
	@echo "Installing PyTorch, Keras, tokenizers and a notebook's kernel into .venv, once ..."
	@$(PIP) --editable '.[torch,keras,text,notebook]'
	@touch $@
