PYTHON = .venv/bin/python
PORT ?= 8000
DEBUG ?= false
T ?= tests
N ?= 300
AT_ONCE ?= 1

# `make faults` and `make bench` take long; the other targets take minutes.
.PHONY: bench help environment demo smoke test faults check format coverage

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

environment:  ## make .venv what poetry.lock says (every target does this first)
	@scripts/environment

demo: environment  ## a shop with demo data on http://localhost:8000 (PORT=8000, DEBUG=false)
	@DEBUG=$(DEBUG) $(PYTHON) manage.py start --demo --port $(PORT)

smoke: environment  ## the main path end to end, on free ports and a fresh database
	@$(PYTHON) -m tests.smoke

test: environment  ## the tests, or a part of them (T=tests/orders)
	$(PYTHON) -m pytest -n auto --dist loadfile $(T)

faults: environment  ## every promise on both kinds of servers: hours, N kills a point, AT_ONCE beside each other
	$(PYTHON) -m tests.faults all -n $(N) --at-once $(AT_ONCE)

coverage: environment  ## the tests, with branch coverage
	$(PYTHON) -m pytest -n auto --dist loadfile --cov --cov-report term:skip-covered --cov-report html

bench: environment  ## ratios of speed on a PostgreSQL and a Redis of their own; writes docs/benchmarks.md
	@$(PYTHON) -m benchmarks

check: environment  ## style, types, imports, migrations, templates, settings: what CI checks
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/djlint templates --lint --quiet
	$(PYTHON) manage.py makemigrations --check --dry-run
	scripts/as-production $(PYTHON) manage.py check --deploy --fail-level WARNING

format: environment  ## format the code and mend what can be mended by itself
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
