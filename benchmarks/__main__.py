"""Measure everything on a PostgreSQL and a Redis of its own, and write `docs/benchmarks.md`.

`python -m benchmarks` starts the servers and, for each measurement, a fresh process of its own:
memory is the process's, and one measurement's connections are not the next one's.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.report import write_report
from tests.services import postgresql_server, redis_server

MEASUREMENTS = {
    "dispatch 200": "dispatch.rates(200)",
    "dispatch 1000": "dispatch.rates(1000)",
    "dispatch 10000": "dispatch.rates(10_000)",
    "two schedulers": "dispatch.two_over_one(10_000)",
    "idle empty": "dispatch.idle(0)",
    "idle million": "dispatch.idle(dispatch.FUTURE)",
    "throughput": "throughput.throughput()",
    "planning": "planning.statements()",
    "latency": "latency.commit_to_start()",
    "pages": "pages.costs()",
}


def main() -> None:
    """Run what is named on the command line, or everything, and write the page when it was everything."""
    names = sys.argv[1:] or list(MEASUREMENTS)
    with (
        postgresql_server("shared_buffers=256MB") as database,
        redis_server() as broker,
        tempfile.TemporaryDirectory() as folder,
    ):
        environment = {
            **os.environ,
            "DATABASE_URL": database.url,
            "CELERY_BROKER_URL": broker.url,
            "VAR_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], env=environment, check=True)
        results = {name: _measure(name, environment) for name in names}
    if names == list(MEASUREMENTS):
        write_report(Path("docs/benchmarks.md"), results)


def _measure(name: str, environment: dict[str, str]) -> dict[str, Any]:
    module = MEASUREMENTS[name].partition(".")[0]
    code = (
        "import django, json; django.setup(); "
        f"from benchmarks import {module}; print(json.dumps({MEASUREMENTS[name]}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    print(name, result, flush=True)  # noqa: T201
    return result


if __name__ == "__main__":
    main()
