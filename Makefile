# Needs Python 3.11 (or newer), pip and make. Everything is installed into .venv, nothing outside.

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
# -I: neither PYTHONPATH nor a module of the same name in this folder can stand in for pip.
PIP_IN = $(1)/bin/python -I -m pip --disable-pip-version-check --no-input --quiet --quiet
PIP := $(call PIP_IN,$(VENV))

# Apart from .venv, so that tests never meet the libraries the benchmark is measured against.
BENCHMARK_VENV := build/benchmark
ACCURACY_VENV := build/accuracy
DOCS_VENV := build/docs-env
POOLS_VENV := build/pools
CLOUD_VENV := build/cloud-env
SCALE_VENV := build/scale
SITE := build/site
ACCURACY := $(filter accuracy,$(SUITES))
SCALE := $(filter scale,$(SUITES))
SPEED := $(if $(filter-out accuracy scale,$(SUITES))$(if $(SUITES),,all),speed)
# PyTorch for Linux x86-64 without CUDA, Python 3.11: uv does not see it, for it is not on the common
# index but on PyTorch's own.
TORCH_CPU := 6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
LINUX_X86 := platform_system == "Linux" and platform_machine == "x86_64"
ELSEWHERE := platform_system != "Linux" or platform_machine != "x86_64"

UV_VERSION := 0.13.9
LOCK_VENV := build/lock
# --universal and "fewest": one version of each package for every platform and Python we allow.
LOCK := $(LOCK_VENV)/bin/uv --no-config --quiet pip compile --universal --fork-strategy fewest \
	--python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)
# What a checkout installs: every extra of users. The editable install builds with what the lock
# holds, so the build requirements belong in it.
WHOLE := pyproject.toml --extra all $(LOCK_VENV)/build.in
BUILD_REQUIREMENTS := import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")

# Name a lock; PyTorch's line in it then is that of the CPU build where there is one.
TORCH_WITHOUT_CUDA = sed -E -i.cuda \
	's/^torch==([^ ]+) .*/torch==\1+cpu ; $(LINUX_X86) \\\n    --hash=sha256:$(TORCH_CPU)\ntorch==\1 ; $(ELSEWHERE) \\/' \
	$(1) && rm $(1).cuda

# No command, no Prefect and no server: what a change to a formula or to a reader can break.
FAST_TESTS := $(addprefix tests/,nn tabular evaluation storage test_quantities.py)

# With the locked build backend, and no other tool.
BUILD_SDIST := from setuptools.build_meta import build_sdist; build_sdist("dist")

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-fast check docs dist image image-test browser-test sql-test object-store-test work-pool-test cluster-test scale-test crash-test chaos benchmark benchmark-quick examples fuzz simulate lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.run ## Retrain Iris through Prefect, then score a CSV of new flowers
	$(BIN)/ffn retrain iris
	$(BIN)/ffn score iris data/iris/inbox/new_flowers.csv

test: $(VENV)/.dev ## Run the tests
	@tests/run $(BIN)/python

test-fast: $(VENV)/.dev ## Run the tests of numerics and readers, in less than a minute
	$(BIN)/python -m pytest $(FAST_TESTS)

check: $(VENV)/.dev ## Lint, check the format and the types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(DOCS_VENV)/.made ## Build the documentation as a site, and check its links
	@rm -rf $(SITE)
	@$(DOCS_VENV)/bin/python -m sphinx -q -W --keep-going -E -c docs -d build/site-cache . $(SITE)
	@$(DOCS_VENV)/bin/python -m docs.extensions.built_site $(SITE)

dist: $(VENV)/.run ## Build the wheel and the source distribution into dist/
	@rm -rf dist
	@$(BIN)/python -I -c '$(BUILD_SDIST)' > /dev/null
	@# From the source distribution, which is thereby shown to be complete.
	@$(PIP) wheel --no-deps --no-build-isolation --no-index --wheel-dir dist dist/*.tar.gz
	@ls dist

image: dist ## Build a container image of the wheel from Debian's packages (as root; BASE=1: scores)
	@container/image $(if $(BASE),--base)

image-test: image $(VENV)/.dev ## Train and score in that image, as its user
	$(BIN)/python -m pytest tests/image

browser-test: $(VENV)/.browser docs ## Look at dashboard, lab and site with Chromium; save what was seen
	@tests/browser/chromium
	$(BIN)/python -m pytest tests/browser

sql-test: $(VENV)/.sql ## Train on and score into a PostgreSQL server of the tests' own, and DuckDB
	@tests/sql/postgresql > /dev/null
	$(BIN)/python -m pytest tests/sql tests/extraction/test_queries.py tests/scoring/test_query_rows.py

object-store-test: $(CLOUD_VENV)/.made ## Score, train and mirror on an S3 server of the tests' own
	$(CLOUD_VENV)/bin/python -m pytest tests/object_store

work-pool-test: $(VENV)/.dev $(POOLS_VENV)/.made ## Run on PostgreSQL, several servers, and workers of pools
	@tests/sql/postgresql > /dev/null
	@tests/scale/several_servers/redis > /dev/null
	$(BIN)/python -m pytest tests/scale/postgresql tests/scale/pools tests/scale/several_servers

cluster-test: $(SCALE_VENV)/.made ## Train and score on Dask and Ray clusters of the tests' own, on the loopback
	tests/running_clusters/run $(SCALE_VENV)/bin/python

scale-test: object-store-test work-pool-test cluster-test
scale-test: ## Run all that takes more than one machine, on the loopback of this one

crash-test: $(VENV)/.dev ## Kill the registry at every system call that changes a file
	tests/crash/run

chaos: $(VENV)/.dev ## Kill, fill and interrupt a service in every way (SOAK=minutes of load, 2)
	SOAK_MINUTES=$(or $(SOAK),2) $(BIN)/python -m pytest tests/chaos

# Accuracy takes hours. It and scale have environments of their own: they run only when named.
benchmark: $(SPEED:%=$(BENCHMARK_VENV)/.made) $(ACCURACY:%=$(ACCURACY_VENV)/.made)
benchmark: $(SCALE:%=$(SCALE_VENV)/.made)
benchmark: ## Measure speed beside other libraries on this machine; with SUITES=accuracy, accuracy
	$(if $(SPEED),$(BENCHMARK_VENV)/bin/python -m benchmarks $(filter-out accuracy scale,$(SUITES)))
	$(if $(ACCURACY),$(ACCURACY_VENV)/bin/python -m benchmarks accuracy $(HOURS:%=--hours %))
	$(if $(SCALE),@tests/sql/postgresql > /dev/null)
	$(if $(SCALE),tests/running_clusters/apart $(SCALE_VENV)/bin/python -m benchmarks scale)

benchmark-quick: $(VENV)/.dev ## Run every suite of the benchmark once, on little data: it measures nothing
	$(BIN)/python -m pytest tests/quick_benchmark

examples: $(VENV)/.dev ## Run the examples from their first cell to their last
	$(BIN)/python -m pytest tests/executed_examples

fuzz: $(VENV)/.dev ## Score damaged CSV files and check each (CASES=1000000 SEED=1)
	$(BIN)/python -m fuzz --cases $(or $(CASES),100000) --seed $(or $(SEED),1)

simulate: $(VENV)/.dev ## Put the gate to thousands of retrainings of known truth
	$(BIN)/python -m simulations

lock: $(LOCK_VENV)/.uv ## Renew the hash-locked requirements (UPGRADE=1 takes newer versions)
	@$(LOCK_VENV)/bin/python -c '$(BUILD_REQUIREMENTS)' > $(LOCK_VENV)/build.in
	$(LOCK) $(WHOLE) --output-file requirements.txt
	$(LOCK) pyproject.toml --output-file requirements-base.txt --constraint requirements.txt
	$(LOCK) $(WHOLE) --output-file requirements-docs.txt \
		--extra docs --constraint requirements.txt
	$(LOCK) $(WHOLE) --output-file requirements-dev.txt \
		--extra dev --constraint requirements.txt
	$(LOCK) $(WHOLE) --output-file requirements-browser.txt \
		--extra browser --constraint requirements-dev.txt
	$(LOCK) $(WHOLE) --output-file requirements-sql.txt \
		--extra sql --constraint requirements-dev.txt
	$(LOCK) $(WHOLE) --output-file requirements-pools.txt \
		--extra pools --constraint requirements-dev.txt
	$(LOCK) $(WHOLE) --output-file requirements-cloud.txt \
		--extra cloud --constraint requirements-dev.txt
	$(LOCK) $(WHOLE) --output-file requirements-cloud-test.txt \
		--extra cloud --extra cloud-test --extra dev --constraint requirements-cloud.txt \
		--constraint requirements-dev.txt
	$(LOCK) $(WHOLE) --output-file requirements-dask.txt \
		--extra dask --constraint requirements-dev.txt
	@# With the versions of the other, so that one environment can have both.
	$(LOCK) $(WHOLE) --output-file requirements-ray.txt \
		--extra ray --constraint requirements-dev.txt --constraint requirements-dask.txt
	$(LOCK) $(WHOLE) benchmarks/peers.in \
		--output-file requirements-benchmark.txt \
		--excludes benchmarks/not-cuda.txt --constraint requirements.txt
	$(call TORCH_WITHOUT_CUDA,requirements-benchmark.txt)
	$(LOCK) $(WHOLE) benchmarks/accuracy/peers.in \
		--output-file requirements-accuracy.txt --overrides benchmarks/accuracy/overrides.txt \
		--excludes benchmarks/not-cuda.txt --constraint requirements.txt
	$(call TORCH_WITHOUT_CUDA,requirements-accuracy.txt)

clean: ## Remove the environment and every cache; artifacts stay
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --no-deps: the lock is complete (`pip check` makes sure), and the pip of Python 3.11 otherwise
# looks for the newest SQLAlchemy on behalf of its extra and stops at the missing hash.
# A stamp is removed before its step and written after it: an interrupted install leaves none.
$(VENV)/.run: requirements.txt pyproject.toml $(VENV)/.made
	@rm -f $@
	@echo "Installing into $(VENV) (once, about a minute)"
	@$(PIP) install --require-hashes --no-deps --requirement requirements.txt
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@$(PIP) check
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@rm -f $@
	@echo "Installing the development tools into $(VENV)"
	@$(PIP) install --require-hashes --no-deps --requirement requirements-dev.txt
	@touch $@

$(VENV)/.browser: requirements-browser.txt $(VENV)/.dev
	@rm -f $@
	@echo "Installing what drives a browser into $(VENV)"
	@$(PIP) install --require-hashes --no-deps --requirement requirements-browser.txt
	@touch $@

$(VENV)/.sql: requirements-sql.txt $(VENV)/.dev
	@rm -f $@
	@echo "Installing the drivers of databases into $(VENV)"
	@$(PIP) install --require-hashes --no-deps --requirement requirements-sql.txt
	@touch $@

# Workers for containers, apart from .venv: their packages change what Prefect's server loads.
$(POOLS_VENV)/.made: requirements-pools.txt pyproject.toml $(VENV)/.made
	@rm -f $@
	@echo "Installing into $(POOLS_VENV) (once, about a minute)"
	@$(BIN)/python -m venv --clear $(POOLS_VENV)
	@$(call PIP_IN,$(POOLS_VENV)) install --require-hashes --no-deps --requirement requirements-pools.txt
	@$(call PIP_IN,$(POOLS_VENV)) install --no-build-isolation --no-deps --editable .
	@$(call PIP_IN,$(POOLS_VENV)) check
	@touch $@

# Apart from .venv, which shows that nothing else needs them.
$(SCALE_VENV)/.made: requirements-dev.txt requirements-dask.txt requirements-ray.txt pyproject.toml $(VENV)/.made
	@rm -f $@
	@echo "Installing into $(SCALE_VENV) (once, some minutes)"
	@$(BIN)/python -m venv --clear $(SCALE_VENV)
	@for lock in dev dask ray; do \
		$(call PIP_IN,$(SCALE_VENV)) install --require-hashes --no-deps \
			--requirement requirements-$$lock.txt || exit; \
	done
	@$(call PIP_IN,$(SCALE_VENV)) install --no-build-isolation --no-deps --editable .
	@$(call PIP_IN,$(SCALE_VENV)) check
	@touch $@

$(BENCHMARK_VENV)/.made: requirements-benchmark.txt pyproject.toml $(VENV)/.made
	$(call INSTALL_PEERS,$(BENCHMARK_VENV),requirements-benchmark.txt)

$(ACCURACY_VENV)/.made: requirements-accuracy.txt pyproject.toml $(VENV)/.made
	$(call INSTALL_PEERS,$(ACCURACY_VENV),requirements-accuracy.txt)

$(CLOUD_VENV)/.made: requirements-cloud-test.txt pyproject.toml $(VENV)/.made
	@rm -f $@
	@echo "Installing into $(CLOUD_VENV) (once, about a minute)"
	@$(BIN)/python -m venv --clear $(CLOUD_VENV)
	@$(call PIP_IN,$(CLOUD_VENV)) install --require-hashes --no-deps --requirement requirements-cloud-test.txt
	@$(call PIP_IN,$(CLOUD_VENV)) install --no-build-isolation --no-deps --editable .
	@$(call PIP_IN,$(CLOUD_VENV)) check
	@touch $@

$(DOCS_VENV)/.made: requirements-docs.txt $(VENV)/.made
	@rm -f $@
	@echo "Installing into $(DOCS_VENV) (once, about a minute)"
	@$(BIN)/python -m venv --clear $(DOCS_VENV)
	@$(call PIP_IN,$(DOCS_VENV)) install --require-hashes --no-deps --requirement requirements-docs.txt
	@$(call PIP_IN,$(DOCS_VENV)) check
	@touch $@

# Name an environment and its lock. No `pip check`: it would miss what not-cuda.txt left out, where
# PyTorch is not the CPU build.
define INSTALL_PEERS
	@rm -f $(1)/.made
	@echo "Installing into $(1) (once, some minutes)"
	@$(BIN)/python -m venv --clear $(1)
	@$(call PIP_IN,$(1)) install --require-hashes --no-deps --requirement $(2) || { \
		echo "If it is PyTorch that was not found: the benchmark takes its CPU build for Python 3.11." \
			"Name PyTorch's CPU index in PIP_EXTRA_INDEX_URL (its install page has it)." >&2; exit 1; }
	@$(call PIP_IN,$(1)) install --no-build-isolation --no-deps --editable .
	@touch $(1)/.made
endef

$(LOCK_VENV)/.uv: $(VENV)/.made Makefile
	@rm -f $@
	@$(BIN)/python -m venv --clear $(LOCK_VENV)
	@$(LOCK_VENV)/bin/python -I -m pip --disable-pip-version-check \
		--no-input --quiet --quiet install uv==$(UV_VERSION)
	@touch $@

# Candidates are run, not only looked up: a version manager's stand-in may exist and yet fail.
$(VENV)/.made:
	@for python in $(if $(PYTHON),"$(PYTHON)",python3.11 python3); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		exec "$$python" -m venv --clear $(VENV); \
	done; \
	echo "No Python 3.11 or newer (tried: $(or $(PYTHON),python3.11 python3))." \
		"Install it, or name it: make PYTHON=/path/to/python3.11" >&2; \
	exit 1
	@touch $@
