# Everything is done through these; `make help` lists them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SHOP   := examples/shop/shop.db

.DEFAULT_GOAL := help
.PHONY: help run test check screenshots bench corpus example clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/ready $(SHOP)  ## open trueup on the bundled example (without a terminal: print its differences)
	@$(BIN)/trueup --config examples/shop/trueup.toml || test $$? -eq 1

test: $(VENV)/ready  ## run the tests
	@$(BIN)/python -m pytest -n auto

check: $(VENV)/ready  ## lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

screenshots: $(VENV)/ready  ## write the pictures in screenshots/ anew
	$(BIN)/python tests/tui/screenshots.py

bench: $(VENV)/ready  ## run the benchmarks
	$(BIN)/python bench/startup.py

corpus: $(VENV)/ready  ## migrate the schema histories of public applications (CORPUS=path/to/corpus)
	$(BIN)/python tests/corpus/run.py $(CORPUS)

example: $(VENV)/ready  ## make the example's database anew, as its older version left it
	rm -rf $(SHOP) examples/shop/.trueup
	$(BIN)/python examples/shop/make_database.py

clean:  ## remove the environment and the example's database
	rm -rf $(VENV) $(SHOP) examples/shop/.trueup

$(SHOP): | $(VENV)/ready
	@$(BIN)/python examples/shop/make_database.py

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "trueup needs Python 3.11 or newer; call make PYTHON=python3.11")'
	@echo "Setting up $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
