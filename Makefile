# The manual of this house: `make help`. Nothing but Python 3.11 or newer is needed for most of it.

PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/.installed
# A file's tests share what they start, so they stay together; the order is that of tests/tiers.py.
# Three workers keep two cores busy: a third of their time they wait for a server or a clock.
PYTEST := $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

DATA       ?= examples/kalbar-2023
OUT        ?= out
BUS        ?= embedded
TAHAP      ?=
STATE      ?= var
KAFKA_PORT ?= 9092
ARGS       ?=

# The same modules are imported in hundreds of processes: whatever a shell says, they are compiled once.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up test test-unit test-integration test-e2e check bench mutants nightly kafka compose-test contracts deployment service dashboards lock coverage audit sbom

help: ## this list
	@echo "make TARGET [NAME=value ...]"
	@echo
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

demo: $(READY) ## run a year through the front door and compare (DATA, OUT, BUS=embedded|kafka, TAHAP=1-2, KEEP=1 runs on)
	$(BIN)/pkh demo $(DATA) --out $(OUT) --bus $(BUS) $(if $(TAHAP),--tahap $(TAHAP)) $(if $(KEEP),--keep)

up: $(READY) ## the whole platform in the foreground (BUS, STATE=directory of its data)
	$(BIN)/pkh up --bus $(BUS) --data $(STATE)

test: $(READY) ## every test that this machine can run, in about 10 minutes (ARGS="-k name")
	$(PYTEST) $(ARGS)

test-unit: $(READY) ## those that need no server, in a minute (ARGS)
	$(PYTEST) tests/unit tests/contract tests/architecture tests/mutants $(ARGS)

test-integration: $(READY) ## those of one part against real servers (ARGS)
	$(PYTEST) tests/integration $(ARGS)

test-e2e: $(READY) ## the whole platform through its front doors, and broken while it runs (ARGS)
	$(PYTEST) tests/e2e tests/chaos $(ARGS)

check: $(READY) ## formatting, lint, types and the borders between packages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## measure the corridor and its peers (ARGS=--keep writes docs/speed.md, ARGS=--quick)
	$(BIN)/python -m benchmarks $(ARGS)

mutants: $(READY) ## break safety rules one by one; a test must go red for each (ARGS)
	$(BIN)/python -m tests.mutants $(ARGS)

# The report comes even where a test went red.
coverage: $(READY) ## which lines and branches the tests without a server reach; no threshold (ARGS)
	-$(BIN)/coverage run -m pytest -q -p no:xdist tests/unit tests/contract $(ARGS)
	$(BIN)/coverage report

audit: $(READY) ## known vulnerabilities of what is installed in production (needs the OSV database)
	$(BIN)/python -m deploy.release.audit

sbom: $(READY) ## the bills of materials of production, out/sbom*.cdx.json (CycloneDX)
	$(BIN)/python -m deploy.release.sbom $(OUT)

nightly: $(READY) ## every test at its long setting, then the mutants and the measurements
	PKH_NIGHTLY=1 $(BIN)/python -m pytest -q $(ARGS)
	$(BIN)/python -m tests.mutants
	$(BIN)/python -m tests.compose --where-possible $(if $(STANDINS),--standins)
	PKH_NIGHTLY=1 $(BIN)/python -m benchmarks
	$(BIN)/python -m deploy.release.audit

compose-test: $(READY) ## docker-compose.yml as a whole: built, up, a year, killed, down, up (root, Docker; STANDINS=1: deploy/standins)
	$(BIN)/python -m tests.compose $(if $(STANDINS),--standins) $(ARGS)

kafka: $(READY) ## a real Kafka broker in the foreground, without Docker (Java 17, Maven; KAFKA_PORT)
	$(BIN)/python -m localstack.kafka_server --port $(KAFKA_PORT) --data $(STATE)/kafka

contracts: $(READY) ## write schemas, asyncapi.yaml, openapi/ and the index of problems again from the code (ARGS=--check|--release)
	$(BIN)/python -m tools.contracts.generate $(ARGS)

deployment: $(READY) ## write compose file, roles, secrets and scrape targets again from deploy/services.toml (ARGS=--check)
	$(BIN)/python -m tools.deployment $(ARGS)

service: $(READY) ## lay a new service that is green at once (NAME=purses TITLE="...", REMOVE=1 takes it away)
	$(BIN)/python -m tools.service $(if $(REMOVE),--remove) "$(NAME)" "$(TITLE)"

dashboards: $(READY) ## write the dashboards of Grafana again from their code
	$(BIN)/python -m deploy.grafana

# uv keeps the versions that the lock already names unless it is told to upgrade. UmaDB has wheels for
# few platforms, so it has a lock of its own and only `make bench` installs it.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
  $(if $(UPGRADE),--upgrade)
# The other two take their versions from the lock of everything, so that what runs is what was tested.
lock: $(READY) ## pin every requirement with its hashes (UPGRADE=1 takes the newest versions)
	$(COMPILE) pyproject.toml --all-extras --group dev -o requirements-dev.lock
	$(COMPILE) pyproject.toml --extra cli -c requirements-dev.lock -o requirements-cli.lock
	$(COMPILE) pyproject.toml -c requirements-dev.lock -o requirements.lock
	$(COMPILE) pyproject.toml --extra pkcs11 -c requirements-dev.lock -o requirements-pkcs11.lock
	$(COMPILE) benchmarks/umadb.in -o benchmarks/umadb.lock

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed")'
	@echo "Setting up .venv from requirements-dev.lock; this takes about a minute, once."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)
