# CServe's commands. `make serve` and `make test` do all the set-up on a fresh machine that has Swift.

.PHONY: serve test test-tls lint counts bench fidelity fidelity-machine build release setup setup-test clean help
.DEFAULT_GOAL := help

SWIFT ?= swift
PORT ?= 8000
SERVE_FLAGS ?=

help: ## Says what can be made.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

serve: release ## Builds in release and serves the built-in model on port 8000 (PORT=..., SERVE_FLAGS="--model DIR").
	exec .build/release/cserve serve --port $(PORT) $(SERVE_FLAGS)

test: setup-test ## Builds and runs every test, OpenAI's client and PyPI tokenizers among them.
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build
	Tests/Kernels/run.sh
	Tests/Clients/run.sh .build/debug/cserve
	Tests/Clients/tokenizers.sh
	Tests/Deploy/run.sh .build/debug/cserve

test-tls: setup-test ## Builds with the trait TLS (BoringSSL) and tests HTTPS.
	$(SWIFT) build --build-tests --traits TLS
	$(SWIFT) test --skip-build --traits TLS --filter TransportSecurityTests

lint: ## Checks the sources' form.
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources

counts: setup-test ## Fails when fixed work takes 3% more instructions than committed (valgrind).
	Benchmarks/counts.py

bench: release ## Runs the benchmarks beside their peers and prints ratios.
	Benchmarks/run.sh

fidelity: release ## Judges predictions on a folder of measurements (DATA=DIR) and writes docs/results/fidelity.md.
	@test -n "$(DATA)" || { echo "Name a folder of measurements: make fidelity DATA=DIR" >&2; exit 1; }
	.build/release/cserve fidelity --data "$(DATA)" --out docs/results/fidelity.md

fidelity-machine: release ## Serves workloads on this machine beside the simulator, some minutes a model (MODEL=DIR FLAGS=...).
	.build/release/cserve fidelity machine $(if $(MODEL),--model "$(MODEL)") --results fidelity-cells.json $(FLAGS) \
		-o docs/results/predicted-measured.md

release: setup ## Builds the release binary, .build/release/cserve.
	$(SWIFT) build -c release --product cserve

setup:
	@Tools/setup.sh build

setup-test:
	@Tools/setup.sh test

clean: ## Removes what was built.
	rm -rf .build .build-* Benchmarks/.build Benchmarks/.venv Tests/Clients/.venv Tests/Deploy/.venv
