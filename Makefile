# Everything runs in an environment of its own below .venv, made from nothing where it is missing. The variables of a
# target stand above it; PYTHON=... takes another Python than the newest usable one.
#   make demo         the whole service on this machine: a tour in the terminal, then a page (TOUR_ONLY=1: only the tour)
#   make quick        unit tests and lint, within a minute
#   make unit         unit tests
#   make test         every test that this machine can run, but the long ones (TESTS=tests/...)
#   make test-all     these and the long ones
#   make lint         style, format, types, direction of imports, sizes
#   make reference    the reference pages and the comments of config/mailbot.toml, from the code
#   make score        how well mail is understood, beside other libraries (FILES="a.jsonl folder", MISSES=1)
#   make fuzz         mutated mail through the parser (SECONDS_TO_FUZZ=600)
#   make chaos        the daemon killed at each step and at random moments, servers that fail (CHAOS_KILLS=300)
#   make laws         the laws of the service on long random walks (LAWS_MINUTES=10)
#   make coverage     branches of mailbot/mail and mailbot/ticket that tests take; fails under 98 %
#   make mutation     faults put into mailbot/mail and mailbot/ticket one by one (MUTANTS="mailbot.ticket.matching*")
#   make bench        speed, memory, cost of a long history (40 minutes, a quiet machine; BENCH_PARTS="latency ...")
#   make backlog      memory while a hundred thousand mails are taken in (20 minutes, 8 GB of disk)
#   make soak         a year of traffic on a fast clock: does memory stay what it was? (11 minutes)
#   make screenshots  the pictures of the README, into docs/images (needs chromium)
#   make clean        remove everything that was made here

SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# A stamp for each kind of environment: it is made anew where the list of packages or the Python changes.
RUN_STAMP := $(VENV)/.stamp-run
DEV_STAMP := $(VENV)/.stamp-dev
NEEDS := pyproject.toml constraints.txt scripts/find-python
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
SCORE_STAMP := $(VENV)/.stamp-score
MUTATION_STAMP := $(VENV)/.stamp-mutation
TESTS ?= tests
CORPORA ?= ../shared/corpora
SECONDS_TO_FUZZ ?= 600

.PHONY: help demo screenshots quick unit test test-all lint reference score fuzz chaos laws coverage mutation bench backlog soak clean

help:
	@sed -n 's/^#   //p' Makefile

$(RUN_STAMP): $(NEEDS)
	@python=$$(scripts/find-python)
	echo "making $(VENV) with $$($$python --version)"
	rm -rf $(VENV)
	$$python -m venv $(VENV)
	$(PIP) install -c constraints.txt --editable .
	touch $@

$(DEV_STAMP): $(RUN_STAMP)
	@$(PIP) install -c constraints.txt --editable ".[postgres,metrics,dev]"
	touch $@

demo: $(RUN_STAMP)
	@exec $(BIN)/mailbot demo --tour $(if $(TOUR_ONLY),,--page)

screenshots: $(DEV_STAMP)
	$(BIN)/python -m tools.screenshots docs/images

# Tests of the service wait for servers, timers and processes: twice as many of them as there are cores keep these busy.
PYTEST := $(BIN)/python -m pytest -q --dist worksteal --durations=10
unit: $(DEV_STAMP)
	$(PYTEST) -n auto tests/unit

quick: lint unit

test: $(DEV_STAMP)
	$(PYTEST) -n $$((2 * $$(nproc))) -m "not slow" $(TESTS)

test-all: test
	$(PYTEST) -n $$((2 * $$(nproc))) -m slow tests

$(SCORE_STAMP): $(DEV_STAMP)
	@$(PIP) install -c constraints.txt --editable ".[postgres,metrics,dev,score]"
	touch $@

score: $(SCORE_STAMP)
	@$(BIN)/python bench/understanding/score.py $(or $(FILES),$(CORPORA)) $(if $(MISSES),--misses)

fuzz: $(DEV_STAMP)
	$(BIN)/python tools/fuzz_parse.py $(CORPORA) fixtures/emails --seconds $(SECONDS_TO_FUZZ)

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/house_check.py

reference: $(DEV_STAMP)
	$(BIN)/python -m tools.reference

# The table is printed, and the exit code tells, also where a test has failed.
CHAOS_KILLS ?= 300
CHAOS_WORKERS ?= 4
CHAOS_TESTS := $(wildcard tests/crash tests/faults tests/integration/test_workers.py)
chaos: $(DEV_STAMP)
	@results=$${CHAOS_RESULTS:-$(VENV)/chaos.jsonl}
	rm -f "$$results"
	failed=0
	MAILBOT_CHAOS_RESULTS=$$results CHAOS_KILLS=$(CHAOS_KILLS) nice -n 10 \
	    $(BIN)/python -m pytest -n $(CHAOS_WORKERS) --dist worksteal -p no:cacheprovider $(CHAOS_TESTS) || failed=1
	$(BIN)/python -m tests.crash.table "$$results" --into docs/developer/reliability.md || failed=1
	exit $$failed

LAWS_MINUTES ?= 10
laws: $(DEV_STAMP)
	LAWS_MINUTES=$(LAWS_MINUTES) $(BIN)/python -m pytest -q -p no:cacheprovider tests/laws

COVERAGE_TESTS ?= tests/unit tests/laws tests/integration/test_rules.py tests/integration/test_identity.py \
    tests/integration/test_attacks.py tests/integration/test_held_files.py tests/integration/test_outgoing_content.py
coverage: $(DEV_STAMP)
	$(BIN)/python -m coverage run --branch --source=mailbot/mail,mailbot/ticket -m pytest -q -k "not postgresql" $(COVERAGE_TESTS)
	$(BIN)/python -m coverage report --sort=cover --skip-covered --fail-under=98

$(MUTATION_STAMP): $(DEV_STAMP)
	@$(PIP) install -c constraints.txt --editable ".[postgres,metrics,dev,mutation]"
	touch $@

# Printed at the end: the faults that no test noticed. `.venv/bin/mutmut show NAME` shows one.
MUTANTS ?=
mutation: $(MUTATION_STAMP)
	nice -n 10 $(BIN)/mutmut run $(MUTANTS)
	$(BIN)/mutmut results

# What fails does not keep the rest from being measured; the exit code tells.
BENCH_PARTS ?= throughput latency stages memory workers growth
BENCH_N ?= 2000
BENCH_ROUNDS ?= 3
BENCH_LATENCY ?= 40
BENCH_WORKERS_N ?= 1000
BENCH_LARGE ?= 4
BENCH_TICKETS ?= 1000000
BENCH_SCRATCH ?= $(VENV)/bench
bench: $(DEV_STAMP)
	@mkdir -p $(BENCH_SCRATCH)
	scratch=$$(cd $(BENCH_SCRATCH) && pwd)
	throughput=(--mails $(BENCH_N) --rounds $(BENCH_ROUNDS) --scratch "$$scratch")
	latency=(--count $(BENCH_LATENCY))
	stages=()
	memory=(--mails $(BENCH_N) --large-mails $(BENCH_LARGE))
	workers=(--mails $(BENCH_WORKERS_N))
	growth=(--large $(BENCH_TICKETS) --desks "$$scratch/desks")
	failed=
	for part in $(BENCH_PARTS); do
	    declare -n options=$$part
	    echo "== $$part: $$(date +%H:%M)"
	    $(BIN)/python -m bench.speed.$$part "$${options[@]}" --write || failed+=" $$part"
	done
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

BACKLOG_N ?= 100000
BACKLOG_LARGE ?= 8
backlog: $(DEV_STAMP)
	$(BIN)/python -m bench.speed.backlog --mails $(BACKLOG_N) --large-mails $(BACKLOG_LARGE) --scratch $(BENCH_SCRATCH) --write

SOAK_N ?= 3000
SOAK_SECONDS ?= 660
soak: $(DEV_STAMP)
	$(BIN)/python -m bench.speed.soak --mails $(SOAK_N) --seconds $(SOAK_SECONDS) --write

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis mutants
