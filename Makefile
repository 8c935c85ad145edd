# Everything a user or a developer runs. `make demo` and `make test` need only Python 3.11+.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PLUGINS := -e plugins/security -e plugins/medical -e plugins/recommendation
SOURCES := Makefile pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)

.PHONY: help demo test lint unit servers bench serve docs pictures wheelhouse notices clean

help:  ## Show what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/installed: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e . $(PLUGINS)
	@touch $@

$(VENV)/developed: $(VENV)/installed
	$(BIN)/python -m pip install --quiet -c constraints.txt --group dev --group docs -e ".[audio,bench,lora,mqtt,notify,oidc,postgresql,ray,telemetry,tensorboard,tune,video,wandb]" $(PLUGINS) "tiepoint-recommendation[kafka,postgresql,redis]"
	@touch $@

demo: $(VENV)/installed  ## Install into .venv, index real pictures, search both ways, write a page
	$(BIN)/tiepoint demo

test: lint unit  ## Run every check

lint: $(VENV)/developed  ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/developed  ## Run the tests, the doctests and the examples
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# Tests that need one of these skip and say so where it is missing.
servers: tests/servers.txt  ## Install the browser, brokers, databases and DICOM peers of the tests (Debian, as root)
	apt-get update --quiet=2
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install --quiet=2 --yes --no-install-recommends $$(cat $<)

bench: $(VENV)/installed  ## Measure against peers, in the same run
	$(BIN)/tiepoint bench encode
	$(BIN)/tiepoint bench search

serve: $(VENV)/installed  ## Bring up API and pages with the applications on demo data, until Ctrl-C
	$(BIN)/python examples/serve_demo.py tiepoint-serve
	$(BIN)/tiepoint serve tiepoint-serve/deployment.yaml

docs: $(VENV)/developed  ## Build the documentation into build/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

pictures: $(VENV)/developed  ## Take the pictures of the pages anew, from the demo data of `serve`
	$(BIN)/python examples/serve_demo.py tiepoint-serve
	$(BIN)/python docs/pictures/render.py tiepoint-serve/deployment.yaml

# Everything that an air-gapped machine needs: docs/how-to/air-gapped.md.
wheelhouse: $(BIN)/python  ## Fill wheelhouse/ with all that an installation without a network needs
	$(BIN)/python -m pip wheel --quiet -c constraints.txt -w wheelhouse ".[audio,mqtt,notify,oidc,postgresql,ray,telemetry,video]" $(addsuffix [postgresql],$(PLUGINS:-e=))
	cp THIRD-PARTY.md wheelhouse/
	$(BIN)/python deploy/wheelhouse.py wheelhouse

notices: $(VENV)/developed  ## Write THIRD-PARTY.md: the licences of everything that is installed with it
	$(BIN)/python deploy/notices.py THIRD-PARTY.md

clean:  ## Remove what was made here; the environment and stores too
	rm -rf $(VENV) build dist wheelhouse .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf tiepoint-data examples/tiepoint-data tiepoint-demo tiepoint-serve
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
