# make chat · make test · make check · make bench · make proof
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help chat test check bench replay proof proof-quick picture requirements clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Parley needs Python 3.11 or newer; set PYTHON=python3.12, for example."; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Setting up Parley in $(VENV); this takes about a minute, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Adding the test tools."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

chat: $(VENV)/.run ## talk to the bot in this terminal
	@$(BIN)/parley chat

test: $(VENV)/.dev ## the whole test suite
	@$(BIN)/python -m pytest

check: $(VENV)/.dev ## lint, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.dev ## Parley beside minimal bots on the same SDKs, about 5 minutes
	@$(BIN)/python -m tests.benchmarks.compare

replay: $(VENV)/.dev ## real conversations through the three SDKs: lost, doubled, swapped
	@$(BIN)/python -m tests.acceptance.replay

proof: $(VENV)/.dev ## every promise of the README with its number, more than an hour
	@$(BIN)/python -m tests.acceptance.proof

proof-quick: $(VENV)/.dev ## a tenth of that, a few minutes
	@$(BIN)/python -m tests.acceptance.proof --quick

requirements: ## pin every dependency anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q requirements/build.in -o requirements/build.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q --all-extras pyproject.toml -o requirements/run.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q --group dev -c requirements/run.txt -o requirements/dev.txt

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

picture: $(VENV)/.dev ## draw the conversation that the README shows
	@$(BIN)/python -m tests.acceptance.picture .github/chat.svg
