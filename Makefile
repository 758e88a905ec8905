# Everything a person types. `make` alone prints what there is.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# An awk program: the pinned packages of a second file, hashes and all, which the first file does not pin.
NOT_IN_FIRST := NR == FNR { known[$$0]; next } /^[^ ]/ { wanted = !($$0 in known) } wanted

.DEFAULT_GOAL := help
.PHONY: help run install test lint audit conformance check-clients check-compiled check-containers check-distributed check-door check-failover \
  check-faults check-long check-model check-soak bench bench-aemp bench-compare bench-growth bench-limit bench-peers bench-profile \
  bench-strain base-is-named screenshots browsers servers words lock clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime  ## set up once, then serve a demo on http://localhost:8000
	@$(BIN)/rovitracker demo

install: $(VENV)/.development  ## the set-up alone

test: $(VENV)/.development  ## the whole suite, on private servers it starts itself
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.development  ## formatter, linter and type checker, as strict as CI
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

audit: $(VENV)/.development  ## known vulnerabilities of what is pinned (Error 3: nobody could be asked); AUDIT="--help"
	@$(BIN)/python -m tests.audit $(AUDIT)

conformance: $(VENV)/.development  ## the protocol's tests at depth, then faults they must notice; CONFORMANCE="--help"
	@$(BIN)/python -m tests.conformance $(CONFORMANCE)

check-door: $(VENV)/.development  ## the HTTP edge at depth: attacks cut at every byte, floods at length; DOOR="-k proxies" for some
	@CONFORMANCE_DEPTH=20 $(BIN)/python -m pytest --timeout 3600 tests/door $(DOOR)

check-clients: $(VENV)/.development  ## the pages of docs/clients with the real software, installed on first use; CLIENTS="-k spring" for some
	@$(PYTHON) -m tests.support.debian nginx apache2 libapache2-mod-auth-openidc libapache2-mod-oauth2 || true
	@CHECK_CLIENTS=1 $(BIN)/python -m pytest tests/clients $(CLIENTS)

check-compiled: $(VENV)/.development  ## the suite with the hot rooms compiled (Error 3: no C compiler); COMPILED="--help"
	@$(BIN)/python -m tests.compiled $(COMPILED)

check-containers: $(VENV)/.development  ## image and compose files on an engine (Error 3: there is none); CONTAINERS="-k kill", BEFORE=revision
	@BEFORE="$(BEFORE)" $(BIN)/python -m tests.containers $(CONTAINERS)

check-failover: $(VENV)/.development  ## stores and instances that fail over, again and again under load; FAILOVER="-k under_load" for some
	@$(PYTHON) -m tests.support.debian nginx haproxy patroni etcd-server || true
	@CONFORMANCE_DEPTH=6 $(BIN)/python -m pytest --timeout 3600 tests/failover $(FAILOVER)

check-faults: $(VENV)/.development  ## a judged workload under seeded faults (Error 3: no Go, so not judged by Porcupine); FAULTS="--help"
	@$(BIN)/python -m tests.faults $(FAULTS)

check-long: $(VENV)/.development  ## what the suite has no time for: clones set up from nothing, pages in all colours; LONG="-k lint" for some
	@CONFORMANCE_DEPTH=2 $(BIN)/python -m pytest -n 2 --dist loadfile --timeout 3600 tests/docs tests/pages tests/bench $(LONG)

check-model: $(VENV)/.development  ## models of codes and tokens searched whole, and without each guard (Error 3: no spin); MODEL="--help"
	@$(BIN)/python -m tests.model $(MODEL)

check-soak: $(VENV)/.development  ## minutes of load: answers are those of a service without memory, nothing grows; SOAK="--help"
	@$(BIN)/python -m tests.soak $(SOAK)

check-distributed: $(VENV)/.development  ## on Citus, a worker killed, and its price (Error 3: no CITUS_BIN); DISTRIBUTED="--help"
	@CITUS_BIN="$(CITUS_BIN)" $(BIN)/python -m tests.distributed $(DISTRIBUTED)

bench: $(VENV)/.development  ## load every scenario with locust, judge it; BENCH="--help" lists what can be said
	@$(BIN)/python -m bench.scenarios $(BENCH)

bench-aemp: $(VENV)/.development  ## pages of a large fleet beside a small one, and its readings written beside a plain COPY
	@$(BIN)/python -m bench.size.aemp $(BENCH)

bench-compare: base-is-named $(VENV)/.development  ## what a request costs beside another revision, BASE=main, in short alternating rounds
	@$(BIN)/python -m bench.compare --base "$(BASE)" $(BENCH)

base-is-named:
	@test -n "$(BASE)" || { echo "Name the other revision: make bench-compare BASE=main" >&2; exit 2; }

bench-growth: $(VENV)/.development  ## what more tokens, workers and connections do to rate and cost
	@$(BIN)/python -m bench.size.growth $(BENCH)

bench-limit: $(VENV)/.development  ## the service beside a bare server of the same input and output, in interleaved rounds
	@$(BIN)/python -m bench.limit $(BENCH)

bench-peers: $(VENV)/.development  ## the service beside other authorization servers, which are installed on first use
	@$(BIN)/python -m bench.peers $(BENCH)

bench-strain: $(VENV)/.development  ## honest callers beside a flood of forged tokens, and three times what a slow store takes
	@$(BIN)/python -m bench.strain $(BENCH)

bench-profile: $(VENV)/.development  ## flame graphs of the token path
	@$(BIN)/python -m bench.flames $(BENCH)

words: $(VENV)/.development  ## the words of pages and mails into the catalogues of app/language
	@$(BIN)/python -m tests.language.catalogue

screenshots: $(VENV)/.development  ## pictures of every page into docs/images, those of the documents among them
	@$(BIN)/python -m tests.pages.screenshots $(VIEWS)

browsers:  ## install Chromium for the browser tests, without its windows where that can be had (Debian's package, as root)
	@command -v chromium-headless-shell >/dev/null || { apt-get update -qq; \
	  apt-get install -y -qq --no-install-recommends chromium-headless-shell || command -v chromium >/dev/null || \
	  apt-get install -y -qq --no-install-recommends chromium; }

servers:  ## install nginx, HAProxy, PgBouncer and redis-cli for their tests (Debian's packages, as root; none is started)
	@$(PYTHON) -m tests.support.debian

lock: $(VENV)/.development  ## resolve the dependencies anew into the hashed requirement files
	@$(PIP) uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --upgrade --group install pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --upgrade --group install --group dev -c requirements.txt pyproject.toml -o $(VENV)/all.txt
	@{ echo "-r requirements.txt"; awk '$(NOT_IN_FIRST)' requirements.txt $(VENV)/all.txt; } > requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group compile -c requirements-dev.txt -o requirements-compile.txt
	@for folder in $(dir $(wildcard bench/*/*/requirements.in examples/*/requirements.in tests/clients/*/requirements.in)); do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    $${folder}requirements.in -o $${folder}requirements.txt || exit; done
	@command -v mvn >/dev/null || { echo "lock: the jars of tests/clients need mvn (Maven)" >&2; exit 1; }
	@for folder in $(dir $(wildcard tests/clients/*/pom.xml)); do (cd $$folder && rm -rf jars && \
	  mvn --quiet --batch-mode --strict-checksums dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=jars && \
	  cd jars && sha256sum *.jar > ../jars.sha256) || exit; done

clean:  ## remove the set-up (not the data)
	@rm -rf $(VENV) bench/*/*/.venv bench/*/*/node_modules examples/*/.venv examples/*/node_modules \
	  tests/clients/*/.venv tests/clients/*/node_modules tests/clients/*/jars tests/clients/*/bin tests/faults/porcupine/bin \
	  .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.runtime: requirements.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is not: name another, as in make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV): pinned, hash-checked packages (once, about a minute)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
	  echo "No virtual environment could be made: install venv and pip for $(PYTHON) (Debian: apt install python3-venv)" >&2; exit 1; }
	@$(PIP) --require-hashes -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.runtime
	@echo "Adding the tools for tests and checks (once)"
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@
