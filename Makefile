# Two commands matter: `make demo` and `make test`. Neither needs root, Docker, or anything but Python 3.11 and make.

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench
.DELETE_ON_ERROR:

# Each worker is six processes: without compiled modules they would take twice as long to start.
export PYTHONDONTWRITEBYTECODE :=

# uv that works (a pyenv shim may exist and not), else one of our own.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .cache/uv/bin/uv)
RUN := $(UV) run --no-sync
# Never removes what is there already: an environment with the bench group stays one.
SYNC := $(UV) sync --locked --inexact --all-extras

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  SEED=n repeats a run of demo or test. With STAFFETTA_BROKERS set, both use that cluster."

demo: .venv/synced ## A day of a German chain on a real Kafka, with faults; KEEP=1 leaves it running
	$(RUN) staffetta demo $(if $(KEEP),--keep) $(if $(SEED),--seed $(SEED))

test: .venv/synced ## All tests, on a real Kafka; ROUNDS=n for more rounds of faults, ARGS='-k name' for a few
	$(RUN) pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/synced ## Style, types, and the direction of imports
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) lint-imports

bench: .venv/synced ## Throughput and latency against other loops, as JSON and plots
	$(SYNC) --group bench
	$(RUN) python -m bench

.venv/synced: pyproject.toml uv.lock | $(filter .cache/%,$(UV))
	$(SYNC)
	@touch $@

.cache/uv/bin/uv:
	@echo "Getting uv into .cache/uv"
	@mkdir -p .cache
	@{ python3 -m venv .cache/uv && .cache/uv/bin/python -m pip install --quiet uv; } >.cache/uv.log 2>&1 \
	  || { rm -rf .cache/uv && python3 -m pip install --quiet --target .cache/uv uv; } >>.cache/uv.log 2>&1 \
	  || { tail -n 3 .cache/uv.log; echo "Could not get uv: install it, or python3-venv, and try again." >&2; exit 1; }
