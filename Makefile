PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LINKS := build/editable/fleetrig
AMQTT := build/amqtt
TB_SDK := build/tb-sdk
NPM_PARTS := build/npm
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

export PYTHON

.DEFAULT_GOAL := help
FLEET_BENCHES := $(addprefix tests/benchmarks/bench_,outages.py studies.py cohort.py virtual_time.py first_peaks.py)
.PHONY: help install demo test quick check format reach contracts bench bench-fleets soak peer-hawkbit gateway lock clean peers

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) $(LINKS) ## make .venv with the fleetrig command in .venv/bin

$(STAMP): pyproject.toml setup.py requirements.lock
	@.ci/packages venv
	@echo "installing into $(VENV), the first time this takes a minute or two..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@touch $@

# What makes the folders of the repository parts of one package: gone with build/, so made anew without installing.
$(LINKS): | $(STAMP)
	@$(BIN)/python setup.py --name >/dev/null

demo: install ## update a small simulated fleet over real sockets
	@mkdir -p build/demo
	$(BIN)/fleetrig run hawkbit/demo --time real --junit build/demo/junit.xml --trace build/demo/trace.jsonl

# Tests start many processes, here and in several workers: whatever the environment says, none compiles anew.
test quick: export PYTHONDONTWRITEBYTECODE =
PYTEST := $(BIN)/pytest --durations=10
CORES = $(shell nproc)

# Slow tests wait most of the time, and three workers have groups of their own (tests/spread.py): more workers than cores.
test: install peers $(TB_SDK)/.installed $(NPM_PARTS)/.installed ## run all tests and every scenario that is not tagged large, about 12 minutes on two cores
	@$(BIN)/python -m fleetrig.hil.emulated.gateway_image >/dev/null || echo "no image of the emulated gateway: its scenarios are skipped"
	$(PYTEST) -n $$((3 * $(CORES))) -m "not large" tests $(wildcard scenarios)

quick: install ## run what is not marked slow, with few examples, about a minute and a half on two cores
	$(PYTEST) -n $(CORES) -m "not slow" --hypothesis-profile quick tests $(wildcard scenarios)

check: install ## lint, formatting, types, who imports whom, changelog
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python .ci/check_version.py

format: install ## format the code and repair what lint can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reach: install ## what rows, scenarios and recordings execute of the reference server's PLATFORM
	$(BIN)/python -m tests.reach $(PLATFORM)

contracts: install ## write docs/contracts/ anew from the rows, and the tables of docs/*scenarios.md from the models
	$(BIN)/python -m tests.contracts
	$(BIN)/python -m tests.recovery_table
	$(BIN)/python -m tests.language_examples
	$(BIN)/python -m tests.scenario_pages

bench: install peers $(AMQTT)/.installed $(TB_SDK)/.installed ## measure speed and memory; PEER=URL,PID measures a running hawkBit beside ours
	BENCH_PAGE=docs/benchmarks.md PEER="$(PEER)" AMQTT_PYTHON=$(AMQTT)/bin/python $(BIN)/python -m pytest tests/benchmarks -s -o python_files='bench_*.py' -o python_functions='bench_*'

bench-fleets: install ## measure virtual time and write docs/benchmarks.md anew
	BENCH_PAGE=docs/benchmarks.md $(BIN)/python -m pytest $(FLEET_BENCHES) -s -o python_files='bench_*.py' -o python_functions='bench_*'

# The MQTT broker beside which ours is measured, in an environment of its own.
$(AMQTT)/.installed: tests/benchmarks/amqtt.lock
	@$(PYTHON) -m venv $(AMQTT)
	@$(AMQTT)/bin/python -m pip --disable-pip-version-check -q install --require-hashes -r tests/benchmarks/amqtt.lock
	@touch $@

# ThingsBoard's own SDK, which brings a fork of paho-mqtt under the same name.
$(TB_SDK)/.installed: tests/peers/thingsboard/sdk.lock
	@$(PYTHON) -m venv $(TB_SDK)
	@$(TB_SDK)/bin/python -m pip --disable-pip-version-check -q install --require-hashes -r tests/peers/thingsboard/sdk.lock
	@touch $@

# axe-core, Mermaid and the schema of CTRF, which judge reports. Without npm their tests are skipped (under CI=true they fail).
$(NPM_PARTS)/.installed: tests/peers/npm/package-lock.json | peers
	@mkdir -p $(NPM_PARTS)
	@cp tests/peers/npm/package*.json $(NPM_PARTS)
	@if command -v npm >/dev/null; then npm ci --prefix $(NPM_PARTS) --ignore-scripts --no-audit --no-fund --silent && touch $@; fi

peer-hawkbit: install ## compare the reference with the hawkBit at URL=... [ACCOUNT="reader=USER:env:NAME ..."]
	$(BIN)/python -m tests.peers.peer_hawkbit "$(URL)" $(foreach one,$(ACCOUNT),--account "$(one)") $(OPTIONS)

gateway: install peers ## build the emulated gateway's disk from Debian's packages; kept in ~/.cache/fleetrig
	@$(BIN)/python -m fleetrig.hil.emulated.gateway_image

soak: install ## run for long and watch for growth (tests/soak/soak_*.py)
	$(BIN)/python -m pytest tests/soak -s -o python_files='soak_*.py' -o python_functions='soak_*'

LOCKED = --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(LOCK_FLAGS)

lock: ## write the locks anew: requirements.lock from pyproject.toml, and that of the broker we measure beside
	@.ci/packages venv
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check -q install uv
	build/lock/bin/uv pip compile -q pyproject.toml --extra dev --extra compiled --extra cluster --universal --python-version 3.11 --generate-hashes \
		$(LOCKED) -o requirements.lock
	echo "amqtt>=0.12.1" | build/lock/bin/uv pip compile -q - --universal --python-version 3.11 --generate-hashes \
		$(LOCKED) -o tests/benchmarks/amqtt.lock
	printf 'tb-mqtt-client>=1.13.14\nmmh3\n' | build/lock/bin/uv pip compile -q - --universal --python-version 3.11 \
		--generate-hashes $(LOCKED) -o tests/peers/thingsboard/sdk.lock

clean: ## remove .venv, build and caches
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The programs of other people that the tests work against.
peers:
	@.ci/packages peers
