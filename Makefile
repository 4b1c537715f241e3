# Every target works in a fresh clone: it makes its own .venv. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1
NBVAL = JUPYTER_GRAPH_STATE_DIR=$(CURDIR)/build/state $(PY) -m pytest -p nbval.plugin --nbval-lax \
        --nbval-sanitize-with notebooks/sanitize.cfg --timeout=180 notebooks

.DEFAULT_GOAL := check
.PHONY: check fix lint types test test-fast notebooks demo lab bench bench-peers bench-plot fields kafka \
        labextension labextension-check wheel clean help

check: lint types labextension-check test  ## format check, lint, types and all tests

lint: $(VENV)/.check  ## format and lint check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.check  ## mypy --strict on the package
	$(BIN)/mypy

fix: $(VENV)/.check  ## format, and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: $(VENV)/.test  ## all tests: unit, real processes, notebooks, browser where there is one
	$(PY) -m pytest
	$(NBVAL)

test-fast: $(VENV)/.test  ## the unit part on two cores, less than a minute
	$(PY) -m pytest -n 2 --dist loadfile -m "not slow and not ui and not integration"

notebooks: $(VENV)/.test  ## execute the notebooks and compare their checked outputs
	$(NBVAL)

demo: $(VENV)/.demo  ## run the quickstart headless: graph, answers, URL, parity
	$(PY) notebooks/demo.py

lab: $(VENV)/.lab  ## open JupyterLab on the notebooks, with badges and the panel
	$(PY) labextension/build.py develop
	$(BIN)/jupyter lab --notebook-dir=notebooks

bench: $(VENV)/.test  ## what everything costs beside the plain limit; 3 minutes at most
	$(PY) -m benchmarks

bench-peers: $(VENV)/.test  ## the same beside other libraries, in environments of theirs
	$(PY) -m benchmarks.environments build/peers
	$(PY) -m benchmarks --peers build/peers

kafka: build/kafka/.fetched  ## the jars of a Kafka broker, for its tests and benchmark (needs Maven)

bench-plot: $(VENV)/.bench  ## draw the newest results of each: docs/benchmarks.svg
	$(PY) -m benchmarks.plot $$(ls benchmarks/results/*.json) docs/benchmarks.svg

fields: $(VENV)/.test  ## write what the docs say about fields of steps: tables and JSON Schema
	$(PY) docs/reference/write_fields.py

labextension: $(VENV)/.lab  ## build the JupyterLab part (Node comes from PyPI)
	$(PY) labextension/build.py build

labextension-check: $(VENV)/.lab  ## format, lint, types and unit tests of the JupyterLab part
	$(PY) labextension/build.py check

wheel: labextension $(VENV)/.build  ## build the wheel with the JupyterLab part in it
	rm -rf dist && $(PY) -m build && $(BIN)/check-wheel-contents dist/*.whl

clean:  ## remove what was built, the environment included
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# -- environments: one venv, grown by what a target needs ----------------------

build/kafka/.fetched: benchmarks/kafka/pom.xml
	mvn -q -B -f $< dependency:copy-dependencies -DincludeScope=runtime \
	    -DoutputDirectory=$(CURDIR)/build/kafka
	touch $@

$(VENV)/.base: pyproject.toml setup.cfg
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --upgrade "pip>=25.1"
	PYTHONWARNINGS=ignore $(PY) -m pip install -q -e .
	touch $@

$(VENV)/.demo: $(VENV)/.base
	$(PY) -m pip install -q --group demo
	touch $@

$(VENV)/.test: $(VENV)/.base
	$(PY) -m pip install -q --group test
	touch $@

$(VENV)/.check: $(VENV)/.test
	$(PY) -m pip install -q --group check
	touch $@

$(VENV)/.bench: $(VENV)/.base
	$(PY) -m pip install -q --group bench
	touch $@

$(VENV)/.build: $(VENV)/.base
	$(PY) -m pip install -q --group build
	touch $@

$(VENV)/.lab: $(VENV)/.demo
	$(PY) -m pip install -q --group lab
	touch $@
