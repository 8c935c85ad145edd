# Everything a user or a developer runs. `make demo` and `make test` need only Python 3.11+.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PLUGINS := -e plugins/security -e plugins/medical -e plugins/recommendation
# Without a folder of your own, the photographs that come with scikit-image.
PICTURES ?= $(shell $(BIN)/python -c "import pathlib, skimage; print(pathlib.Path(skimage.__file__).parent / 'data')")
SOURCES := Makefile pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)

.PHONY: help demo test lint unit bench serve clean

help:  ## Show what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/installed: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e . $(PLUGINS)
	@touch $@

$(VENV)/developed: $(VENV)/installed
	$(BIN)/python -m pip install --quiet -c constraints.txt --group dev -e ".[audio,bench,lora,mqtt,notify,oidc,ray,tensorboard,tune,video,wandb]" $(PLUGINS)
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
	$(BIN)/python -m pytest

bench: $(VENV)/installed  ## Measure against peers, in the same run
	$(BIN)/tiepoint bench encode
	$(BIN)/tiepoint bench search

serve: $(VENV)/installed  ## Index a folder of pictures and answer searches until Ctrl-C (PICTURES=DIR)
	TIEPOINT_PICTURES="$(PICTURES)" $(BIN)/tiepoint index examples/pictures.yaml
	TIEPOINT_PICTURES="$(PICTURES)" $(BIN)/tiepoint run examples/pictures.yaml

clean:  ## Remove what was made here; the environment and stores too
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf tiepoint-data examples/tiepoint-data tiepoint-demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
