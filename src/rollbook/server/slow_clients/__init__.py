"""A gunicorn worker that waits for slow clients without occupying a thread for each of them.

Only this package uses gunicorn's internals. What it relies on is listed and tested in
``tests/server/slow_clients/test_gunicorn_contract.py``; ``pyproject.toml`` pins the major version.
"""
