# Every target sets up what it needs in .venv; nothing is installed twice while the lock files stay the same.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes
# As in the image: where Python may not write bytecode itself, a command would begin a fifth of a second later each time.
COMPILE := $(BIN)/python -m compileall -q portal syncengine tenants
PYTEST := $(BIN)/python -m pytest
SOURCES := portal syncengine tenants tests
# pytest ends with 5 when a mark selects nothing
SELECTED_NOTHING = || test $$? -eq 5

.DEFAULT_GOAL := help
.PHONY: help demo test test-services lint audit format messages docs docs-images bench soak scale lock clean

help:
	@echo "make demo     everything running with sandboxes (ARGS=--once: without a terminal; ARGS=--fresh: from the start)"
	@echo "make test     every test                        make lint      every measure of the code"
	@echo "make format   format code and templates         make lock      lock the dependencies anew"
	@echo "make messages texts of the source into the catalogues of the languages, and those compiled"
	@echo "make audit    known vulnerabilities, rules of safe code, the settings of a deployment"
	@echo "make docs     the documentation as a site in var/site  make docs-images  its pictures, taken anew by the browser"
	@echo "make bench | soak | scale                       measurements and long runs (soak: SOAK_SECONDS, SOAK_SEED)"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock | $(BIN)/python
	$(PIP) -r requirements.lock
	@$(COMPILE)
	@touch $@

# The development lock holds the runtime's packages too.
$(DEVELOPMENT): requirements-dev.lock | $(BIN)/python
	$(PIP) -r requirements-dev.lock
	@$(COMPILE)
	@touch $@ $(RUNTIME)

# DEBUG lets a checkout without keys make its own in var/.
demo: $(RUNTIME)
	@DEBUG=true $(BIN)/python manage.py demo $(ARGS)

test-services:
	@sh .ci/test-services

test: $(DEVELOPMENT) test-services
	$(PYTEST) -n 2 --dist loadfile -m "not bench and not soak and not scale" $(ARGS)

# ten minutes; `make soak ARGS=tests/faults` runs the longer tests of faults
soak: $(DEVELOPMENT) test-services
	$(PYTEST) -m soak $(or $(ARGS),tests/soak)

bench scale: $(DEVELOPMENT) test-services
	$(PYTEST) -s -m $@ $(ARGS) $(SELECTED_NOTHING)

lint: $(DEVELOPMENT)
	@sh .ci/lint

audit: $(DEVELOPMENT)
	@sh .ci/audit

format: $(DEVELOPMENT)
	$(BIN)/ruff check --fix --exit-zero --quiet $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/djlint --reformat --quiet templates || true

DOCUMENTATION := $(VENV)/.documentation-installed

$(DOCUMENTATION): requirements-docs.lock $(DEVELOPMENT)
	$(PIP) -r requirements-docs.lock
	@touch $@

messages: $(DEVELOPMENT)
	$(BIN)/python -m tests.messages

docs: $(DOCUMENTATION)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo "var/site/index.html"

docs-images: $(DEVELOPMENT) test-services
	DOCS_IMAGES=1 $(PYTEST) tests/browser/test_tutorial.py

LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11
lock: $(DEVELOPMENT)
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --extra tracing -c requirements.lock pyproject.toml -o requirements-tracing.lock
	$(LOCK) --extra dev --extra tracing -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(LOCK) --extra docs -c requirements-dev.lock pyproject.toml -o requirements-docs.lock

clean:
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
