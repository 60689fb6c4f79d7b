.DEFAULT_GOAL := help
BIN := .venv/bin

.PHONY: help
help:  ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

.venv/installed: requirements/dev.txt pyproject.toml
	python3 -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup demo run test screenshots bench lint docs lock
setup: .venv/installed  ## install Rollbook and its tools into .venv, and nothing else

demo: setup  ## a made-up district's night, told in a minute
	@$(BIN)/python examples/demo.py

run: setup  ## serve on https://localhost:8443/ with the data folder ./data, and stay
	@$(BIN)/rollbook serve --data data

test: setup  ## every test, on SQLite and on PostgreSQL, with real processes, curl, TLS and SMTP
	$(BIN)/python -m tests

screenshots: setup  ## a picture of every page in every state, in screenshots/
	$(BIN)/python -m tests.browser.screenshots

bench: setup  ## Rollbook beside the floor and its peers; BENCH_ROWS=10000,100000 takes minutes, the default hours
	$(BIN)/pip install --quiet --require-hashes -r requirements/bench.txt
	$(BIN)/python -m bench

lint: setup  ## style, types, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup  ## write the reference pages again from the code
	$(BIN)/python -m rollbook.format.documentation docs/student-file.md
	$(BIN)/python -m rollbook.cli.documentation docs/commands-of-the-host.md
	$(BIN)/python -m rollbook.settings_reference README.md

lock:  ## pin every dependency again, with hashes (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev --extra bench pyproject.toml -o requirements/bench.txt
