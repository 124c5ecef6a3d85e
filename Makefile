# Everything is done through these; `make help` lists them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SHOP   := .example/shop

.DEFAULT_GOAL := help
.PHONY: help run test nightly check screenshots bench bench-compare bench-estimate bench-apply bench-large corpus example clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

run: $(VENV)/ready $(SHOP)/shop.db  ## open trueup on a copy of the bundled example (without a terminal: print its differences)
	@$(BIN)/trueup --config $(SHOP)/trueup.toml || test $$? -eq 1

test: $(VENV)/ready  ## run the tests
	@$(BIN)/python -m pytest -n auto

nightly: $(VENV)/ready  ## thousands of random pairs of models, kills, full disks and damaged files (takes hours)
	@$(BIN)/python -m pytest -n auto --hypothesis-profile=nightly tests/cases/test_random_pairs.py tests/reliability

check: $(VENV)/ready  ## lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

screenshots: $(VENV)/ready  ## write the pictures in screenshots/ anew
	$(BIN)/python tests/tui/screenshots.py

bench: $(VENV)/ready  ## run the benchmarks
	@$(MAKE) --no-print-directory bench-compare
	@$(MAKE) --no-print-directory bench-estimate
	@$(MAKE) --no-print-directory bench-apply

bench-compare: $(VENV)/ready  ## how fast differences are found, and that there are none, beside Alembic
	$(BIN)/python bench/compare.py
	$(BIN)/python bench/startup.py

bench-estimate: $(VENV)/ready  ## hold the estimates against the clock, for several shapes of tables
	$(BIN)/python bench/estimate.py

bench-apply: $(VENV)/ready  ## what a run costs on a million rows, beside Alembic's batch mode and the bare statements
	$(BIN)/python bench/apply.py

bench-large: $(VENV)/ready  ## rebuild ten million rows: pace, silence, memory, and how exactly a time limit ends it
	$(BIN)/python bench/large.py

corpus: $(VENV)/ready  ## migrate the schema histories of public applications (TRUEUP_CORPUS=path/to/corpus)
	@$(BIN)/python tests/corpus/run.py

example: $(VENV)/ready  ## make the copy of the example anew, as its older version left it
	@rm -rf $(SHOP)
	@$(MAKE) --no-print-directory $(SHOP)/shop.db

clean:  ## remove the environment and the copy of the example
	rm -rf $(VENV) .example

$(SHOP)/shop.db: | $(VENV)/ready
	@mkdir -p .example
	@cp -R examples/shop $(SHOP)
	@$(BIN)/python $(SHOP)/make_database.py

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "trueup needs Python 3.11 or newer; call make PYTHON=python3.11")'
	@echo "Setting up $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
