# Every target sets up .venv first; nothing else is needed beforehand.

VENV ?= .venv
RUN ?= runs/laptop
PRESET ?= laptop
MARKS ?= not faults
TESTS ?=
PY = $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help venv train watch studio three test faults lint bench docs \
  format requirements clean

help:  ## Lists the targets.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | \
	  awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'
	@echo "Settings: RUN=$(RUN) PRESET=$(PRESET) VENV=$(VENV) PYTHON=..."

venv:
	@.ci/venv $(VENV)

train: venv  ## Trains an agent (PRESET) in RUN and prints its few-shot table.
	@$(PY) -m launch.train --workdir=$(RUN) --preset=$(PRESET)

watch: venv  ## Films an agent that adapts, and draws its scores, in runs/watch.
	@mkdir -p runs
	@$(PY) -m launch.watch --out=runs/watch

studio: venv three  ## Serves the page: play, watch agents adapt, make tasks.
	@$(PY) -m launch.studio

VENDOR = launch/studio/page/vendor
three: $(VENDOR)/three.module.js
$(VENDOR)/three.module.js: package-lock.json .ci/three \
  $(wildcard launch/studio/page/*.js)
	@.ci/three

# The suite's many processes share their byte code. There is one worker more
# than a small machine has cores, as tests of runs often wait.
test: export PYTHONDONTWRITEBYTECODE =
test: venv  ## Runs the test suite, without the tests of `make faults`.
	@$(PY) -m pytest -n 3 --dist loadgroup --no-loadscope-reorder \
	  --durations=10 -m "$(MARKS)" $(TESTS) tests

faults: venv  ## Kills processes and hosts of real runs on Ray, for minutes.
	@$(PY) -m pytest -n 2 --dist loadgroup --durations=0 -m faults tests

lint: venv  ## Checks style, format and types.
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(VENV)/bin/pyrefly check --python-interpreter-path $(PY)

bench: venv  ## Measures every stage; the results are JSON on stdout.
	@for what in env vision replay actor learner train; do \
	  $(PY) -m launch.bench $$what --json=- || exit; done

docs: venv  ## Builds the documentation in docs/_build (Python 3.12 or newer).
	@$(PY) -m sphinx -q -W --keep-going -b html docs docs/_build
	@echo "docs/_build/index.html"

format: venv  ## Formats the code.
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

requirements: venv  ## Updates the pins in both requirements files.
	@$(VENV)/bin/uv pip compile -q -U pyproject.toml --extra reverb \
	  --extra dev --python-version 3.11 --no-emit-index-url \
	  --custom-compile-command "make requirements" -o requirements.txt
	@$(VENV)/bin/uv pip compile -q -U pyproject.toml --extra dev --extra docs \
	  --universal --python-version 3.12 --no-emit-index-url \
	  --custom-compile-command "make requirements" -o requirements-py312.txt

clean:  ## Removes the environments and caches, not the runs.
	rm -rf .venv .venv-* node_modules $(VENDOR) .pytest_cache .ruff_cache .hypothesis
