# make run     the TEV rollout, end to end        make test   what a change must pass
# make fuzz      every parser under atheris, SECONDS each (60)
# make docs      docs/lorawan.md from the registries
# make test-slow, make bench, make oracles, make mutation, make clean
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := lorawan radio_sim gateway_fw bench scenarios
SOURCES = $(shell find $(PACKAGES) -type f ! -name '*.pyc')
PYTHON = $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$p" && break; done)
VENV_READY := $(VENV)/pyvenv.cfg
RUN_READY := $(VENV)/.ready-run
DEV_READY := $(VENV)/.ready-dev
FUZZ_READY := $(VENV)/.ready-fuzz
SECONDS ?= 60

.PHONY: run test lint docs test-slow bench fuzz oracles mutation clean

# Exit code 1 is a verdict ("a rate is missed"), not a failure of the run; from 2 on something is wrong.
run: $(if $(wildcard $(DEV_READY)),$(DEV_READY),$(RUN_READY))
	@$(BIN)/lorabench scenario run tev || [ $$? -eq 1 ]

test: lint
	$(BIN)/python -m pytest -n auto -m "not slow"

lint: $(DEV_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tests/architecture/import_rules.py

# docs/lorawan.md from the registries; a test compares.
docs: $(DEV_READY)
	$(BIN)/python -m bench.reference docs/lorawan.md

test-slow: $(DEV_READY)
	$(BIN)/python -m pytest -n auto -m slow --timeout 3600

# One script a hot path, each prints its own figures.
bench: $(DEV_READY)
	@for script in tests/bench_speed/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

# SECONDS for each target; TARGETS="frames nmea" for some of them; KEEP=1 takes what adds coverage into the repository.
fuzz: $(FUZZ_READY)
	$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS) $(if $(KEEP),--keep) $(TARGETS)

# The JavaScript implementation that tests and `make bench` compare with; needs node and npm.
oracles: .oracles/package.json
.oracles/package.json: tests/interop/lora_packet/package.json
	@mkdir -p .oracles/new && cp $< .oracles/new/
	npm install --prefix .oracles/new --no-package-lock --no-audit --no-fund --loglevel=error
	@rm -rf .oracles/node_modules && mv .oracles/new/node_modules .oracles/ && rm -r .oracles/new && cp $< $@

# Does a test notice when a line of lorawan/crypto or lorawan/frames is changed? About 15 minutes on one core.
MUTATION := $(CURDIR)/.venv-mutation/bin
mutation: $(DEV_READY) .venv-mutation/.ready
	@rm -rf out/mutation && mkdir -p out/mutation && cp -r lorawan gateway_fw tests out/mutation/
	@cd out/mutation && export PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 && \
		$(MUTATION)/cosmic-ray baseline tests/mutation/cosmic-ray.toml && \
		$(MUTATION)/cosmic-ray init tests/mutation/cosmic-ray.toml session.sqlite && \
		$(MUTATION)/python tests/mutation/mutants.py skip session.sqlite && \
		nice $(MUTATION)/cosmic-ray exec tests/mutation/cosmic-ray.toml session.sqlite && \
		$(MUTATION)/python tests/mutation/mutants.py report session.sqlite

# In an environment of its own: it brings twenty packages that nothing else needs.
.venv-mutation/.ready: pyproject.toml
	@"$(PYTHON)" -m venv .venv-mutation
	@.venv-mutation/bin/python -m pip install --quiet 'pip>=25.1'
	@.venv-mutation/bin/python -m pip install --quiet --group mutation
	@touch $@

clean:
	rm -rf $(VENV) .oracles .venv-mutation out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV_READY):
	@[ -n "$(PYTHON)" ] || { echo "error: no Python 3.11 or newer with venv and pip was found; set PYTHON=/path/to/python" >&2; exit 2; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

$(RUN_READY): $(VENV_READY) pyproject.toml $(SOURCES)
	$(BIN)/python -m pip install --quiet .
	@touch $@

# Editable: it also serves `make run`, so a developer's sources are never a stale copy.
$(DEV_READY): $(VENV_READY) pyproject.toml
	$(BIN)/python -m pip install --quiet 'pip>=25.1'
	$(BIN)/python -m pip install --quiet -e . --group dev
	@touch $@

# atheris has wheels for Linux on x86-64 alone, so nothing else asks for it.
$(FUZZ_READY): $(DEV_READY)
	$(BIN)/python -m pip install --quiet --group fuzz
	@touch $@
