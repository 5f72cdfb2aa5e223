# Needs only make and Python 3.11 or newer. `make help` lists what there is.
.PHONY: help setup demo test check format bench campaign seeds screenshots reqs lock
.DEFAULT_GOAL := help
PY := .venv/bin/python

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

setup:  ## .venv from the hashed lock; .venv/bin/osteon exists afterwards
	@sh requirements/install.sh

demo: setup  ## the demo bench: simulated devices, a run in mid-culture, its page (Ctrl-C ends it, a second start goes on)
	@.venv/bin/osteon demo $(ARGS)

test: setup  ## every test (ARGS="-k sentence" picks some)
	@sh requirements/browser.sh
	@env -u PYTHONDONTWRITEBYTECODE $(PY) -m pytest -n 3 --dist worksteal --cov --cov-report=term:skip-covered $(ARGS)

check: setup  ## format, lint, types, import rules
	@.venv/bin/ruff format --check -q . || { echo "make format puts this right" >&2; exit 1; }
	@.venv/bin/ruff check -q .
	@.venv/bin/pyright
	@.venv/bin/lint-imports

format: setup  ## put the format right, and write the JSON Schema of protocols anew
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .
	@.venv/bin/osteon check --schema > protocols/protocol.schema.json

bench: setup  ## benchmarks, each as a ratio to a floor measured in the same run
	@$(PY) -m benchmarks $(ARGS)

campaign: setup  ## the long counts: many seeds, many kills, 5,000 spoilt conversations a driver
	@OSTEON_FUZZ_CASES=5000 $(PY) -m pytest -n 2 --dist worksteal -m "campaign or fuzz" --timeout 3600 -rP --durations=0 $(ARGS)

seeds: setup  ## 200 compressed runs with faults and deaths by chance, on all processors (ARGS="0 5000": those seeds)
	@$(PY) -m tests.runs.many_seeds $(ARGS)

screenshots: setup  ## every page of a demo, both themes, wide and phone, into build/screenshots
	@$(PY) -m tests.dashboard.screenshots $(ARGS)

reqs: setup  ## requirement IDs with a test, with a benchmark, and without
	@$(PY) -m tests.requirements_report $(ARGS)

lock: setup  ## make requirements/*.txt anew from pyproject.toml
	@sh requirements/lock.sh
