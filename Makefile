# The same verbs for people, hooks and .ci/run. Each does the set-up that it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run setup test test-slow test-all lint format requirements bench images deploy destroy clean

PYTHON ?= $(shell command -v python3.13 || command -v python3)
CONFIG ?= default
UV := .tools/bin/uv
BIN := .venv/bin
# boto3 comes with the Lambda runtime; hashes are left out, for `sam build` also fetches wheels for another processor.
EXPORT := $(UV) export --quiet --frozen --no-hashes --no-annotate --no-header --no-emit-project --only-group
EXPORTED := functions fonts containers/catalog containers/preview containers/site containers/store

help:  ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/' | column -t -s '|'

run: setup  ## Start the whole system in the foreground; Ctrl-C stops it
	@exec $(BIN)/docscan up

setup: .venv/.ready .venv-sam/.ready  ## Install everything into .venv and .venv-sam

test: setup  ## Unit and contract tests, and real scans
	$(BIN)/pytest tests/unit tests/contract tests/e2e/test_scan.py

test-slow: setup  ## What `make test` leaves out: the running system, SAM's own commands, the real pages
	$(BIN)/pytest tests/integration tests/e2e --ignore tests/e2e/test_scan.py

test-all: setup  ## Every test
	$(BIN)/pytest tests

lint: setup  ## Style, types, template and OpenAPI
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/cfn-lint --config-file cfn-lint.yaml
	$(BIN)/openapi-spec-validator api/*.yaml
	@for folder in $(EXPORTED); do diff <($(EXPORT) $$(basename $$folder)) $$folder/requirements.txt || \
	  { echo "$$folder/requirements.txt is not what uv.lock says: make requirements"; exit 1; }; done

bench: setup  ## Speed, memory and calls, as Markdown: docs/performance.md says how to read it
	@for name in scan searchable_pdf export import preview cold_start aws_calls gateway gateway_memory private_integration start_api; do $(BIN)/python bench/$$name.py && echo || exit 1; done

format: setup  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

requirements: $(UV)  ## Export what functions, fonts and containers need from uv.lock
	@for folder in $(EXPORTED); do $(EXPORT) $$(basename $$folder) > $$folder/requirements.txt; done

images: setup  ## Build this commit's container images and push them [CONFIG=prod]
	@$(BIN)/python scripts/images.py --config-env $(CONFIG) $(PARAMETERS)

deploy: setup  ## Build and deploy to AWS, see docs/deploy.md [CONFIG=prod] [PARAMETERS="Key=Value …"]
	@$(BIN)/python scripts/deploy.py --config-env $(CONFIG) $(PARAMETERS)

destroy: setup  ## Delete what was deployed; asks first [CONFIG=prod] [DATA=delete]
	@$(BIN)/python scripts/destroy.py --config-env $(CONFIG) $(if $(filter delete,$(DATA)),--data)

clean:  ## Remove what the set-up and the builds made; .docscan (your data) stays
	rm -rf .tools .venv .venv-sam .aws-sam .pytest_cache .ruff_cache

# uv comes from PyPI into a folder of its own: what PATH offers may be a pyenv shim that fails here.
$(UV):
	@echo "Installing uv"
	@$(PYTHON) -m venv .tools || { echo "Python's venv module is needed (Debian: apt-get install python3-venv)"; exit 1; }
	@.tools/bin/pip install --quiet --disable-pip-version-check uv==0.13.9

.venv/.ready: pyproject.toml uv.lock .python-version $(UV)
	@echo "Installing the Python packages into .venv (about 1.2 GB, the OCR engine among them)"
	@$(UV) sync --frozen
	@touch $@

# The SAM CLI pins another botocore than the engine does, so it has an environment of its own.
.venv-sam/.ready: pyproject.toml uv.lock .python-version $(UV)
	@echo "Installing the SAM CLI into .venv-sam"
	@UV_PROJECT_ENVIRONMENT=.venv-sam $(UV) sync --frozen --only-group sam
	@touch $@
