# Every target works in a fresh clone with Rust and Python. uv brings the rest; when it is missing,
# or too old for pyproject.toml, a private one goes into .tools/.

UV_VERSION := 0.13.9
CARGO_LLVM_COV_VERSION := 0.6.21
CARGO_MUTANTS_VERSION := 27.1.0
CARGO_FUZZ_VERSION := 0.13.2
# The one place for the minimum is Cargo.toml.
RUST_VERSION_MIN := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
# Passed on to the command: make demo ARGS="--seed 7"
ARGS ?=

ifeq ($(OS),Windows_NT)
  PYTHON ?= python
  TOOLS_BIN := .tools/Scripts
else
  PYTHON ?= python3
  TOOLS_BIN := .tools/bin
endif

# `uv cache dir` does nothing, but refuses where `required-version` in pyproject.toml does.
UV := $(shell uv cache dir >/dev/null 2>&1 && echo uv || echo $(TOOLS_BIN)/uv)
RUN := $(UV) run --locked

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ready ## run the demonstration
	$(RUN) tradewright demo $(ARGS)

.PHONY: test
test: lint rust-test python-test ## run every check that a change must pass

.PHONY: bench
bench: ready ## measure, on a release build
	$(RUN) tradewright doctor --require-release
	$(RUN) tradewright bench $(ARGS)

.PHONY: bench-node
bench-node: ready ## measure a whole node: commands that pass, latencies, disturbances
	for tier in local-sync memory; do \
	  $(RUN) tradewright bench pipe --tier $$tier $(ARGS) || exit 1; \
	  for transport in shm tcp; do $(RUN) tradewright bench wire --transport $$transport --tier $$tier $(ARGS) || exit 1; done; \
	done
	$(RUN) tradewright bench disturb $(ARGS)

.PHONY: bench-peers
bench-peers: ready ## measure engines from package registries beside ours
	$(RUN) tradewright bench peers $(ARGS)

.PHONY: soak
soak: ready ## run a node for ten minutes, with a line a minute
	$(RUN) tradewright bench wire --rate 20000 --soak 600 $(ARGS)

.PHONY: fuzz
fuzz: ready ## run random commands through the engine and the reference exchange
	$(RUN) python -m tests.differential.fuzz $(ARGS)

.PHONY: fuzz-decoders
fuzz-decoders: ready ## feed every decoder with bytes that nobody meant
	$(RUN) python tools/fuzz_decoders.py --cargo-fuzz-version $(CARGO_FUZZ_VERSION) $(ARGS)

.PHONY: coverage
coverage: ready ## measure which lines and branches the tests reach, Python and Rust
	$(RUN) coverage run -m pytest
	$(RUN) coverage report
	$(RUN) python tools/rust_coverage.py --cargo-llvm-cov-version $(CARGO_LLVM_COV_VERSION)

.PHONY: drills
drills: ready ## harm logs, kill and halt nodes, and see that nothing acknowledged is lost
	for drill in power-cut torn-write disk-full bit-flip kill promote halt; do $(RUN) tradewright drill $$drill $(ARGS) || exit 1; done

.PHONY: mutants
mutants: ready ## break a sample of the code, one small place at a time, and see whether the tests notice
	$(RUN) python tools/mutants.py --cargo-mutants-version $(CARGO_MUTANTS_VERSION) $(ARGS)

.PHONY: lint
lint: ready ## check format, lints, types and stubs
	cargo fmt --all --check
	$(RUN) cargo clippy --locked --workspace --all-targets -- -D warnings
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) stubtest tradewright._core

.PHONY: stubs
stubs: ready ## write python/tradewright/_core.pyi from the Rust sources
	$(RUN) python tools/generate_stubs.py

# The default members: the binding crate is tested through Python.
.PHONY: rust-test
rust-test: ready
	cargo test --locked --quiet
	cargo test --locked --quiet --package tradewright-transport --features loom --test loom

.PHONY: python-test
python-test: ready
	$(RUN) pytest

.PHONY: ready
ready: cargo-present $(filter $(TOOLS_BIN)/uv,$(UV))

.PHONY: cargo-present
cargo-present:
	@command -v cargo >/dev/null || { \
	  echo "Tradewright needs Rust $(RUST_VERSION_MIN) or later: cargo is not on the PATH (see https://rustup.rs)." >&2; \
	  exit 1; }

$(TOOLS_BIN)/uv:
	$(PYTHON) -m venv .tools
	$(TOOLS_BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
