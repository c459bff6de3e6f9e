# Commands of inference-mesh; `make` alone lists them.
STACK ?= local
FORMAT ?= flux
SECRETS ?= refuse
ENGINE ?= auto
REPOSITORY_PATH ?= .
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.requirements

.DEFAULT_GOAL := help
.PHONY: help up preview down render test check format bench schema tools

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

$(READY): requirements.txt requirements-dev.txt
	@echo "installing Python requirements into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

up: $(READY)  ## deploy STACK (default: local, on the simulated cluster)
	@$(BIN)/python -m cli up $(STACK) --engine $(ENGINE)

preview: $(READY)  ## show what `up` would change
	@$(BIN)/python -m cli preview $(STACK) --engine $(ENGINE)

down: $(READY)  ## remove what `up` made
	@$(BIN)/python -m cli down $(STACK) --engine $(ENGINE)

render: $(READY)  ## write STACK as files into OUT, FORMAT=flux or argocd
	@$(BIN)/python -m cli render $(STACK) --out $(or $(OUT),rendered) --format $(FORMAT) --secrets $(SECRETS) --path $(REPOSITORY_PATH)

tools: $(READY)  ## build the tools of the simulated cluster, once
	@$(BIN)/python -m simcluster tools

check: $(READY)  ## style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)  ## mend style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

schema: $(READY)  ## write the settings' JSON Schema, reference and comparison of meshes
	@$(BIN)/python -c "from stacks import comparison, reference, schema; schema.write(); reference.write(); comparison.write()"

test: check tools  ## everything: style, types, unit tests, tests on the simulated cluster
	@$(BIN)/pytest -n 3 --dist loadfile

bench: $(READY)  ## measure: program to manifests, and up on the simulated cluster
	@$(BIN)/python -m benchmarks
