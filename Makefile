# Tunesmith: every command a person or a CI machine needs. `make help` lists them.
# POSIX shell only; nothing here needs root, and nothing needs Node but `ui`, `test` and `check`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
# These commands start many processes; none should compile its libraries anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup quickstart serve services test test-all check audit ui bench docs reference constraints clean

BIN := .venv/bin
# Much of a test is the wait for a child to start: one process more than this project's smallest machine has cores.
TEST_PROCESSES ?= 3

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -e 's/:.*## /|/' | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: ## create .venv and install everything that is pinned (instant when nothing changed)
	@sh tools/setup.sh

quickstart: setup ## set up, then the main job on the bundled data: offline, a few minutes
	@$(BIN)/tunesmith quickstart

serve: setup ## set up, then the product on http://127.0.0.1:8000
	@$(BIN)/tunesmith serve

services: ## install the programs that the tests start (PostgreSQL, Chromium, a Korean font)
	@sh tools/install_test_services.sh

test: setup services ## set up, build the UI, then every test but the long ones
	@sh tools/build_ui.sh --if-node
	@$(BIN)/python -m pytest -m "not long" -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

test-all: setup services ## everything with coverage, the long tests too; the summary goes to docs/verification/
	@sh tools/build_ui.sh
	@$(BIN)/python -m tools.test_all

check: setup ## formatting, types, architecture, drift and the UI's own checks
	@$(BIN)/python -m tools.check

audit: setup ## known holes, floors of versions, licences
	@$(BIN)/python -m tools.audit

ui: ## build the web interface into the package (Node 20+)
	@sh tools/build_ui.sh

bench: setup ## run the benchmarks whose figures the documents quote
	@$(BIN)/python -m tools.bench

docs: setup ## build the documentation site into build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet --site-dir build/site && echo "Open build/site/index.html"

reference: setup ## write the generated pages, the OpenAPI document and the schema anew
	@$(BIN)/python -m tools.reference

constraints: setup ## pin the dependencies anew for every platform
	@env -u UV_FIND_LINKS $(BIN)/uv pip compile --quiet --universal --upgrade -p 3.11 --no-header --no-annotate --no-emit-index-url \
	  --all-extras pyproject.toml -o constraints.txt

clean: ## remove what the commands above made (never your data)
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov \
	  ui/node_modules ui/dist src/tunesmith/bundle/ui
