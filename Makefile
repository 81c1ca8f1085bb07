# One command each. CI (.ci/run) calls the same ones. They need python3 (3.10 or later), go and make;
# everything else is fetched, at the versions of requirements/dev.txt and go/go.sum.

PYTHON ?= $(firstword $(foreach command,python3 python3.14 python3.13 python3.12 python3.11 python3.10,\
	$(shell $(command) -c 'import sys; sys.version_info >= (3, 10) and print("$(command)")' 2>/dev/null)))
PY := .venv/bin/python
READY := .venv/.ready
# The compiled core; without a C compiler it is left out.
SPEED := .venv/.speed
# Folders of plugins.
PLUGINS = $(patsubst %/plugin.json,%,$(wildcard examples/*/plugin.json tests/e2e/plugins/*/plugin.json))
# Where wheels go.
DIST = dist
# What is tested again with the core as plain Python.
PURE_TESTS = tests/unit/grpc tests/unit/runtime tests/unit/codec tests/conformance tests/contract
# The race detector needs a C compiler.
RACE = $(shell command -v "$$(go env CC)" >/dev/null && echo -race)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-go test-python torture adoption check check-format check-types check-layers \
	check-generated check-go generate lock picture bench wheel wheel-speed clean

help: ## show these commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

setup: $(READY) $(SPEED) ## set up .venv with the SDK and all tools

$(READY): pyproject.toml requirements/dev.txt hatch_build.py
	@test -n "$(PYTHON)" || { echo "no python3 of 3.10 or later on PATH; name one: make PYTHON=..." >&2; exit 1; }
	@command -v go >/dev/null || { echo "no go on PATH: install Go" >&2; exit 1; }
	@echo "Setting up .venv (tools, the SDK, the bridge for this machine)"
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# What was compiled of modules that are none of it any more would go along, hence rm.
$(SPEED): $(READY) $(wildcard src/mattermost_plugin/_grpc/*.py src/mattermost_plugin/_grpc/*/*.py) \
		src/mattermost_plugin/_codec/compiled.py $(wildcard speed/*.* speed/*/*.*)
	@if command -v cc >/dev/null && test -e "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h"; then \
		echo "Compiling the core of the gRPC endpoint and the codecs"; \
		rm -rf speed/build; \
		$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
			--force-reinstall ./speed; \
	else echo "No C compiler or no Python.h: the gRPC endpoint and the codecs run as plain Python"; fi
	@touch $@

demo: $(READY) ## start a real Mattermost server with a Python plugin and play a conversation
	$(PY) -m demo

test: $(READY) test-go test-python ## run every test, Go and Python, against a real server too

test-go: $(READY)
	cd go && go test $(RACE) ./...

test-python: $(READY) $(SPEED)
	$(PY) -m tests.harness
	$(PY) -m pytest
	MATTERMOST_PLUGIN_PURE=1 $(PY) -m pytest $(PURE_TESTS)

torture: $(READY) $(SPEED) ## do faults under load on a real server, 200 kills among them, for half an hour
	$(PY) -m tests.torture

adoption: $(READY) ## build a Mattermost server with the host inside, and run the end-to-end tests on it
	$(PY) -m tests.adoption

check: check-format check-types check-layers check-generated check-go ## formatting, lint, types, layers, generated files

check-format: $(READY)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

check-types: $(READY)
	$(PY) -m mypy
	@# Each plugin is a program of its own: its modules are top-level ones.
	@for plugin in $(PLUGINS); do echo "mypy $$plugin"; \
		(cd $$plugin && MYPYPATH=. $(CURDIR)/$(PY) -m mypy --config-file $(CURDIR)/pyproject.toml \
			--cache-dir $(CURDIR)/.mypy_cache/$$plugin .) || exit 1; done

check-layers: $(READY)
	.venv/bin/lint-imports --no-cache --no-logo

check-generated: $(READY)
	$(PY) -m codegen --check

check-go: $(READY)
	@unformatted=$$(gofmt -l go tests); test -z "$$unformatted" || { echo "gofmt: $$unformatted" >&2; exit 1; }
	cd go && go mod tidy -diff
	cd go && go vet ./...
	cd go && go tool staticcheck ./...

generate: $(READY) ## write all generated files anew from the pinned contract
	$(PY) -m codegen

lock: $(READY) ## write requirements/dev.txt anew with the newest versions that pyproject.toml allows
	$(PY) -m pip install --quiet --disable-pip-version-check uv
	$(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --group dev -o requirements/dev.txt pyproject.toml

picture: $(READY) ## take the picture of examples/dashboard for the documentation anew
	$(PY) -m tests.e2e.dashboard_picture

bench: $(READY) $(SPEED) ## measure against a Go plugin and grpcio
	$(PY) -m benchmarks

wheel: $(READY) ## build the release wheel, with the bridge for every platform, and the sdist into dist/
	MATTERMOST_PLUGIN_BRIDGES=all $(PY) -m hatchling build

wheel-speed: $(READY) ## build the wheel with the compiled core, for this machine and this Python, into dist/
	$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir $(DIST) ./speed

clean: ## remove what the commands above made here
	rm -rf .venv dist build speed/build speed/*.egg-info speed/.mypy_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
