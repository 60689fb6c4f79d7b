.DEFAULT_GOAL := help
BIN := .venv/bin
TEST_PROCESSES := $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 2 ? 2 : n > 8 ? 8 : n)))

.PHONY: help
help:  ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

.venv/installed: requirements/dev.txt pyproject.toml
	python3 -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup demo demo-spreadsheet run test test-all test-nightly screenshots bench lint docs site audit sbom lock
setup: .venv/installed  ## install Rollbook and its tools into .venv, and nothing else

demo: setup  ## run a sample district's nightly update with a real server and curl (1 minute)
	@$(BIN)/python examples/demo.py

demo-spreadsheet: setup  ## send a messy spreadsheet and show what becomes of it (half a minute)
	@$(BIN)/python examples/spreadsheet_demo.py

run: setup  ## serve https://localhost:8443/ from the data folder ./data until Ctrl-C
	@$(BIN)/rollbook serve --data data

test: setup  ## what needs no database server, no browser and no further process, on SQLite; 3 minutes
	TESTS_SAMPLED=1 $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile -m "not process and not browser"

test-all: setup  ## the same and the rest, on SQLite and on PostgreSQL: processes, curl, TLS, SMTP, browser; 13 minutes
	$(BIN)/python -m tests $(TEST_ALL)

test-nightly: setup  ## everything at full depth; hours
	$(BIN)/python -m tests --nightly

screenshots: setup  ## a picture of every page in every state and of every email, in screenshots/
	BEFORE=$(BEFORE) $(BIN)/python -m tests.browser.screenshots $(STATES)

bench: setup  ## compare Rollbook's speed with other importers (hours; BENCH_ROWS=10000,100000: minutes)
	$(BIN)/pip install --quiet --require-hashes -r requirements/bench.txt
	$(BIN)/python -m bench

.PHONY: release-check
release-check: setup  ## build the package, install it on each Python and try it (minutes)
	$(BIN)/python tools/check_release.py $(RELEASE_CHECK)

.PHONY: coverage
# In one process: pytest-xdist may kill its workers before they have saved what they measured.
coverage: setup  ## run the tests on SQLite and report coverage, subprocesses included, in htmlcov/
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not browser" $(COVERAGE_TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report

lint: setup  ## check style, types, import rules, and known vulnerabilities as of the last audit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/audit.py check

docs: setup  ## regenerate the reference pages from the code
	$(BIN)/python -m rollbook.studentfile.reference.markdown docs/student-file.md
	$(BIN)/python -m rollbook.cli.reference docs/cli.md
	$(BIN)/python -m rollbook.cli.json_reference docs/json.md
	$(BIN)/python -m rollbook.settings_reference README.md
	$(BIN)/python -m rollbook.operations.monitoring.reference docs/monitoring.md
	$(BIN)/python tools/statements.py docs/security/statements.md
	$(BIN)/python tools/limits.py docs/security/limits.md
	$(BIN)/python tools/asvs.py docs/security/asvs.md
	$(BIN)/python tools/audit.py page

site: setup  ## build the site with the documentation, in site/
	$(BIN)/pip install --quiet --require-hashes -r requirements/site.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

audit: setup  ## look up known vulnerabilities of all packages, and store the result (needs the network)
	$(BIN)/pip install --quiet --require-hashes -r requirements/audit.txt
	$(BIN)/python tools/audit.py refresh

sbom: setup  ## write the list of components (CycloneDX) of requirements/run.txt
	$(BIN)/pip install --quiet --require-hashes -r requirements/audit.txt
	python3 -m venv --clear --without-pip build/sbom
	$(BIN)/pip --python build/sbom/bin/python install --quiet --require-hashes -r requirements/run.txt
	$(BIN)/python tools/sbom.py build/sbom/bin/python requirements/sbom.cdx.json

lock:  ## pin all dependencies, with hashes (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra postgresql pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra postgresql --extra dev pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra postgresql --extra dev --extra bench pyproject.toml -o requirements/bench.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra postgresql --extra dev --extra site pyproject.toml -o requirements/site.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra postgresql --extra dev --extra audit pyproject.toml -o requirements/audit.txt
