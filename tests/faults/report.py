"""Runs every measurement, each in a process of its own, and writes the table of `docs/reliability.md`."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.faults.promises import MEASUREMENTS, PROMISES, Measurement
from tests.faults.stage import BACKENDS

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "var" / "faults.jsonl"
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
LIBRARIES = ("Django", "celery", "kombu", "django-celery-beat", "django-celery-results", "redis", "psycopg")

type Result = dict[str, Any]


def measure_all(*, n: int, at_once: int) -> Iterator[Result]:
    """Inflict every fault on both backends; keep and yield each result as it comes."""
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.unlink(missing_ok=True)
    tries = [(measurement, backend) for measurement in MEASUREMENTS for backend in measurement.backends]
    with ThreadPoolExecutor(at_once) as pool:
        for result in pool.map(lambda each: measure_apart(*each, n=n), tries):
            result["commit"] = commit()
            with RESULTS.open("a") as kept:
                kept.write(json.dumps(result) + "\n")
            yield result


def measure_apart(measurement: Measurement, backend: str, *, n: int) -> Result:
    """Run one measurement in a process of its own: settings are read once in a process."""
    n = measurement.n or n
    command = [sys.executable, "-m", "tests.faults", measurement.name, "--backend", backend, "-n", str(n)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        result: Result = json.loads(ended.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        words = (ended.stderr or ended.stdout).strip().splitlines()[-1:]
        result = {"measurement": measurement.name, "backend": backend, "n": n, "error": " ".join(words)}
    return result


def write() -> int:
    """Write the table into its page.

    Returns:
        1 if a figure misses its promise or was not measured, else 0.
    """
    results = {
        (result["measurement"], result["backend"]): result
        for result in map(json.loads, RESULTS.read_text().splitlines())
    }
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{'\n'.join(lines(results))}\n\n{END}{after}")
    return int(any(is_broken(results.get(key)) for key in wanted()))


def wanted() -> Iterator[tuple[str, str]]:
    """Yield what is to be measured: (measurement, backend)."""
    for measurement in MEASUREMENTS:
        for backend in measurement.backends:
            yield measurement.name, backend


def commit() -> str:
    """Return what was measured, as git names it."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def is_broken(result: Result | None) -> bool:
    return result is None or "error" in result or bool(result["broken"])


def lines(results: dict[tuple[str, str], Result]) -> Iterator[str]:
    """Yield the lines of the page: on what it was measured, then a table for each promise."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores."
    for promise, words in PROMISES.items():
        tried = [measurement for measurement in MEASUREMENTS if measurement.promises[0] == promise]
        yield f"\n### {promise}. {words}\n"
        elsewhere = {each.promises[0] for each in MEASUREMENTS if promise in each.promises[1:]}
        if elsewhere:
            yield f"Tried by faults under {', '.join(sorted(elsewhere))} too.\n"
        if not tried:
            continue
        yield "| fault | on | n | figures | kept | commit |"
        yield "|---|---|--:|---|---|---|"
        for measurement in tried:
            for backend in measurement.backends:
                yield row(measurement, backend, results.get((measurement.name, backend)))


def row(measurement: Measurement, backend: str, result: Result | None) -> str:
    made = (result or {}).get("commit", "–")
    if result is None:
        cells: Sequence[str] = ("–", "not measured", "–", "–")
    elif "error" in result:
        cells = (str(result["n"]), f"not measured: {result['error']}", "no", made)
    else:
        figures = ", ".join(f"{name} {value:,}" for name, value in result["figures"].items())
        cells = (f"{result['n']:,}", figures, "no" if result["broken"] else "yes", made)
    return f"| {' | '.join((measurement.fault, BACKENDS[backend], *cells))} |"
