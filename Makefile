# The commands of contributors and of continuous integration. They need GNU make, bash and Python 3.10 to 3.14; all else
# is installed into .venv and labextension/node_modules. "make help" lists the targets.

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
LOCKS := .ci/locks
PIP_INSTALL := python -m pip install --quiet --disable-pip-version-check
UV := $(VENV)/uv/bin/uv
LINKED := $(VENV)/share/jupyter/labextensions/aumos-governance

# "make lab" needs fewer packages than development and tests.
ENVIRONMENT := $(if $(filter lab,$(MAKECMDGOALS)),$(STAMPS)/lab,$(STAMPS)/dev)

LABEXTENSION_SOURCES := $(shell find labextension \( -name node_modules -o -name lib -o -name __tests__ \) -prune \
	-o -type f ! -name '*.tsbuildinfo' -print)

# Arguments of `jupyter lab`, for example LAB_ARGS="--no-browser --port=8899".
LAB_ARGS ?=
LOCK_ARGS ?= --upgrade
COVERAGE_ARGS ?= tests
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

export PATH := $(abspath $(VENV))/bin:$(PATH)
export VIRTUAL_ENV := $(abspath $(VENV))
export PIP_NO_INPUT := 1
export UV_PYTHON_DOWNLOADS := never
unexport PYTHONHOME

# One process more than there are cores, at most four: most of the time a test waits for a server or a kernel.
PROCESSES = $$(python -c "import os; print(min(4, (os.cpu_count() or 1) + 1))")

# The tests of a file run in one process, and files start in the order of collection: pytest-xdist's own order starts
# files with few tests last, and their tests are those that take longest.
BY_FILE := --dist=loadfile --no-loadscope-reorder

# Programs that tests start skip a package that is slow to import and not needed; the file in that folder explains it.
QUICK_START := PYTHONPATH="$(abspath .ci/quick_start)"

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: lab
lab: $(STAMPS)/linked ## Install, and open JupyterLab on an example notebook (LAB_ARGS="...": arguments of jupyter lab)
	@exec jupyter lab $(ALLOW_ROOT) $(LAB_ARGS) examples/governed-notebook.ipynb

.PHONY: test
test: installed lint docs test-python test-typescript test-browser ## Install what is needed, check style and types, build the documentation and run all tests

# Python and npm packages are installed at the same time, since each installation mostly waits for its registry.
.PHONY: installed
installed:
	@$(MAKE) --no-print-directory --jobs=2 TOGETHER=1 $(STAMPS)/linked

.PHONY: test-python
test-python: $(STAMPS)/linked ## Run the Python tests
	@echo "== Python tests"
	@$(QUICK_START) pytest tests --numprocesses=$(PROCESSES) $(BY_FILE)

.PHONY: test-typescript
test-typescript: $(NODE_MODULES) ## Run the TypeScript tests
	@echo "== TypeScript tests"
	@$(NPM) run --silent test

.PHONY: test-browser
test-browser: $(STAMPS)/linked ## Run the browser tests in a real JupyterLab, installing a browser if there is none
	@echo "== Browser tests"
	@browser=$$(python .ci/browser.py); AUMOS_CHROMIUM="$$browser" $(QUICK_START) pytest ui-tests --numprocesses=2 $(BY_FILE)

# In a temporary folder, so that node cannot find other packages of this clone.
.PHONY: test-agents
test-agents: $(STAMPS)/linked ## Try the TypeScript libraries of OpenAI and Anthropic through the gateway, installed into a temporary folder
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
		cp tests/agents/{package.json,package-lock.json,.npmrc,programs.mjs} "$$folder"; \
		echo "Installing the npm packages"; \
		npm --prefix "$$folder" ci --silent; \
		AUMOS_AGENTS="$$folder" $(QUICK_START) pytest tests/agents

.PHONY: soak
soak: $(STAMPS)/linked ## Run the tests that take minutes, the tests of the bridge's faults 20 times, and a sample of mutants
	@$(QUICK_START) pytest tests --soak -m soak
	@for round in {1..20}; do \
		echo "== Faults of the bridge, round $$round of 20"; \
		$(QUICK_START) pytest --quiet --numprocesses=$(PROCESSES) tests/bridge/test_faults.py; \
	done
	@echo "== Mutants"
	@$(MAKE) --no-print-directory mutants MUTANTS_ARGS="--sample 300 --minutes 45 --seed $$RANDOM"

.PHONY: mutants
mutants: $(STAMPS)/linked ## Change the code that guards money and permission, and see whether tests fail (MUTANTS_ARGS="...": options)
	@$(QUICK_START) python -m tests.mutants $(MUTANTS_ARGS)

.PHONY: coverage
coverage: $(STAMPS)/linked ## Measure the lines and branches that the Python tests reach (COVERAGE_ARGS=tests/ledger: those tests alone)
	@coverage erase
	@status=0; $(QUICK_START) coverage run -m pytest $(COVERAGE_ARGS) --numprocesses=$(PROCESSES) $(BY_FILE) || status=$$?; \
		coverage combine --quiet; rm -f .coverage.*; coverage report; exit $$status

.PHONY: lint
lint: $(STAMPS)/linked ## Check style and types, Python and TypeScript
	@echo "== Lint and types"
	@ruff check --quiet
	@ruff format --check --quiet
	@mypy
	@python .ci/words.py
	@$(NPM) run --silent lint:check
	@$(NPM) run --silent typecheck

.PHONY: docs
docs: $(STAMPS)/linked ## Build the documentation's site into docs/_build
	@echo "== Documentation"
	@sphinx-build --quiet --fail-on-warning --keep-going --jobs 2 --builder html docs docs/_build

.PHONY: format
format: $(STAMPS)/dev $(NODE_MODULES) ## Format and fix what can be fixed
	@ruff check --fix-only --quiet
	@ruff format --quiet
	@$(NPM) run --silent lint

.PHONY: bench
bench: $(STAMPS)/linked ## Run the benchmarks
	@python -m benchmarks

.PHONY: test-latest
test-latest: $(STAMPS)/linked $(UV) ## Check types and run the Python tests with the newest versions that pyproject.toml allows
	$(call other-versions,latest,highest,dev)
	@echo "== Types and Python tests with the newest versions"
	@$(call in-other,latest) mypy
	@$(call in-other,latest) pytest tests --numprocesses=$(PROCESSES) $(BY_FILE)

.PHONY: test-lowest
test-lowest: $(STAMPS)/linked $(UV) ## Run the Python tests with the lowest versions that pyproject.toml allows
	$(call other-versions,lowest,lowest-direct,test)
	@echo "== Python tests with the lowest versions"
	@$(call in-other,lowest) pytest tests --numprocesses=$(PROCESSES) $(BY_FILE)

.PHONY: lock
lock: $(UV) $(STAMPS)/node ## Renew all locked versions (LOCK_ARGS="--upgrade-package NAME": one package, LOCK_ARGS=: only what is new)
	@.ci/lock $(LOCK_ARGS)

.PHONY: build
build: $(STAMPS)/dev $(UV) ## Build the wheel and the sdist into dist/, and try each in an empty environment of every installed Python
	@rm -rf dist
	@python -m build --no-isolation --outdir dist
	@python .ci/smoke.py dist $(UV)

.PHONY: clean
clean: ## Delete everything that was built or installed, .venv included
	@rm -rf $(VENV) dist build aumos_governance/labextension labextension/node_modules labextension/lib
	@rm -rf .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results labextension/tsconfig.tsbuildinfo
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/venv: .ci/venv $(LOCKS)/pip.txt
	@.ci/venv $(VENV)
	@$(PIP_INSTALL) --require-hashes --requirement $(LOCKS)/pip.txt
	@mkdir -p $(@D) && touch $@

$(UV): $(LOCKS)/uv.txt | $(STAMPS)/venv
	@echo "Installing uv"
	@python -m venv --without-pip $(VENV)/uv
	@PIP_PYTHON=$(VENV)/uv/bin/python $(PIP_INSTALL) --require-hashes --requirement $(LOCKS)/uv.txt
	@touch $@

# Make a new environment beside the locked one, with the extra $(3) resolved to the $(2) versions.
define other-versions
	@echo "Installing the $(1) versions into $(VENV)/$(1)"
	@rm -rf $(VENV)/$(1)
	@python -m venv --without-pip $(VENV)/$(1)
	@HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(UV) pip install --quiet --python $(VENV)/$(1) --resolution $(2) --editable ".[$(3)]"
	@python .ci/locked.py moved $(VENV)/$(1)
endef
in-other = PATH="$(abspath $(VENV)/$(1))/bin:$$PATH" VIRTUAL_ENV="$(abspath $(VENV)/$(1))" $(QUICK_START)

# Run a command, and show its output only if it fails.
quietly = $(1) >$(STAMPS)/log 2>&1 || { cat $(STAMPS)/log; exit 1; }

# npm makes the bundle, below, and it is linked. An editable install would copy the present one, so its build skips npm.
define install-locked
	@echo "Installing aumos-governance into $(VENV) with what $(LOCKS)/$(1).txt names"
	@rm -f $(LINKED) 2>/dev/null || rm -rf $(LINKED)
	@$(PIP_INSTALL) --require-hashes --requirement $(LOCKS)/$(1).txt
	@HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@python .ci/locked.py tidy
endef

$(STAMPS)/lab: $(LOCKS)/lab.txt pyproject.toml .ci/build_backend.py | $(STAMPS)/node
	$(call install-locked,lab)
	@touch $@

$(STAMPS)/dev: $(LOCKS)/dev.txt pyproject.toml .ci/build_backend.py | $(STAMPS)/node
	$(call install-locked,dev)
	@touch $(STAMPS)/lab
	@echo locked >$@

$(STAMPS)/node: .ci/node.py $(LOCKS)/node.txt | $(STAMPS)/venv
	@python .ci/node.py || { echo "Installing node into $(VENV)"; \
		$(PIP_INSTALL) --require-hashes --requirement $(LOCKS)/node.txt; python .ci/node.py; }
	@touch $@

$(NODE_MODULES): labextension/package.json labextension/package-lock.json labextension/.npmrc $(STAMPS)/node
	@echo "Installing the npm packages"
	@$(call quietly,$(NPM) ci)
	@touch $@

$(BUNDLE): $(LABEXTENSION_SOURCES) aumos_governance/_version.py $(NODE_MODULES) | $(ENVIRONMENT)
	@echo "Building the JupyterLab extension"
	@$(call quietly,$(NPM) run build)
	@touch $@

$(STAMPS)/linked: $(ENVIRONMENT) $(BUNDLE)
	@$(call quietly,jupyter-builder develop . --overwrite)
	@touch $@
