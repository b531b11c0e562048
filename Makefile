# Counterpart. `make help` lists what there is.
PYTHON ?= python3.11
BIN := .venv/bin
DEMO_DIR ?= $(CURDIR)/instance/demo
PRACTICE_PORT ?= 8001
QUIETLY := --quiet --disable-pip-version-check
NAUGHTY := tests/integration/blueprints/test_naughty_strings.py
FACTS := tests/contracts/facts
VISIBILITY := tests/integration/matters/test_visibility_histories.py
FACTS_USED := tests/integration/server_admin/test_facts_through_services.py

.DEFAULT_GOAL := help
.PHONY: help setup setup-demo setup-test demo run worker test check coverage hooks migrate bench faults screenshots tabler lock sbom

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/run.done ## Create the virtual environment in .venv/
setup-demo: .venv/demo.done
setup-test: .venv/test.done

.venv/bin/python:
	$(PYTHON) -m venv .venv
.venv/run.done: requirements.lock | .venv/bin/python
	$(BIN)/pip install $(QUIETLY) --require-hashes -r requirements.lock && touch $@
.venv/demo.done: requirements-demo.txt .venv/run.done
	$(BIN)/pip install $(QUIETLY) -r requirements-demo.txt && touch $@
.venv/test.done: requirements-dev.txt .venv/demo.done
	$(BIN)/pip install $(QUIETLY) -r requirements-dev.txt && touch $@

demo: setup-demo ## Everything with the practice iManage and sample matters, in one terminal
	@COUNTERPART_DATA_DIR="$(DEMO_DIR)" COUNTERPART_IMANAGE_ALLOW_HTTP=1 \
	COUNTERPART_IMANAGE_NETWORKS=127.0.0.0/8 COUNTERPART_IMANAGE_PORTS=443,$(PRACTICE_PORT) \
	$(BIN)/flask --app app demo run --practice-port $(PRACTICE_PORT)

run: setup ## Web and worker on this installation; an empty one prints its set-up code
	@$(BIN)/flask --app app up

worker: setup ## One more worker on this installation
	@$(BIN)/flask --app app worker

migrate: setup ## Migrate the database to this version
	$(BIN)/flask --app app db upgrade

test: setup-test ## Install what the tests need, then check and run them all, or run those of TESTS=tests/…
	@tests/prepare
	$(if $(TESTS),,$(MAKE) --no-print-directory check)
	tests/run $(TESTS)

check: setup-test ## Linters, types, layers and templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint templates

coverage: setup-test ## The lines and branches that the unit and integration tests run; fails below the floor in pyproject.toml
	rm -rf instance/coverage && mkdir -p instance/coverage
	$(BIN)/coverage run -m pytest -q --numprocesses=2 --dist=loadfile tests/unit tests/integration
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

hooks: .venv/tools.done setup-test ## Run `make check` before every commit of this clone
	.venv/tools/bin/pre-commit install

.venv/bench.done: requirements-bench.txt | .venv/bin/python
	$(PYTHON) -m venv .venv/bench
	.venv/bench/bin/pip install $(QUIETLY) -r requirements-bench.txt && touch $@
.venv/tools.done: requirements-tools.txt | .venv/bin/python
	$(PYTHON) -m venv .venv/tools
	.venv/tools/bin/pip install $(QUIETLY) -r requirements-tools.txt && touch $@

bench: setup-test .venv/bench.done ## Measure the speed and memory that we claim
	$(BIN)/python -m bench

faults: setup-test ## Every fault against every kind of transfer and every naughty string on both databases, and 200 unusual servers; draws the table in docs/transfers.md
	@tests/prepare
	mkdir -p instance/faults
	FAULTS=all FAULTS_RESULTS=instance/faults/sqlite.json $(BIN)/python -m pytest tests/faults $(NAUGHTY) $(FACTS) $(FACTS_USED) $(VISIBILITY)
	FAULTS=all FAULTS_RESULTS=instance/faults/postgresql.json \
	$(BIN)/python -m tests.support.postgres $(BIN)/python -m pytest tests/faults $(NAUGHTY) $(FACTS_USED)
	$(BIN)/python -m tests.faults.report instance/faults/sqlite.json instance/faults/postgresql.json

screenshots: setup-test ## Take the screenshots in docs/screenshots again
	@tests/prepare
	$(BIN)/python -m tests.browser.screenshots

tabler: ## Build static/vendor/tabler-*/tabler.purged.css again, after a template uses another class of Tabler (needs npm)
	cd tools/tabler && npm ci --no-audit --no-fund --silent && node purge.js

lock: .venv/tools.done ## Update requirements.lock after a change of requirements.txt
	CUSTOM_COMPILE_COMMAND="make lock" .venv/tools/bin/pip-compile --quiet --generate-hashes --strip-extras --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.lock requirements.txt

sbom: .venv/tools.done ## List what runs, with versions and licences, in instance/sbom.json (CycloneDX)
	mkdir -p instance
	$(PYTHON) -m venv --clear --without-pip .venv/shipped
	.venv/tools/bin/pip --python .venv/shipped/bin/python install $(QUIETLY) --require-hashes -r requirements.lock
	.venv/tools/bin/cyclonedx-py environment --output-reproducible -o instance/sbom.json .venv/shipped/bin/python
