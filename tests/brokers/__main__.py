"""Measure each broker on this machine, and write the figures into two pages: python -m tests.brokers -n 5."""

import argparse
import json
import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import django

from tests import services
from tests.brokers.database import make_postgresql, make_sqlite
from tests.brokers.servers import SERVERS

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "python -m tests.brokers"
LIBRARIES = ("celery", "kombu", "redis", "amqp", "boto3", "moto", "kazoo", "psycopg")
STAGES = [(name, "postgresql") for name in SERVERS] + [("redis", "sqlite")]
TITLES = {
    ("redis", "postgresql"): "Redis, PostgreSQL",
    ("rabbitmq", "postgresql"): "RabbitMQ, PostgreSQL",
    ("sqs", "postgresql"): "Amazon SQS (emulator), PostgreSQL",
    ("zookeeper", "postgresql"): "ZooKeeper, PostgreSQL",
    ("redis", "sqlite"): "Redis, SQLite",
}

type Results = dict[tuple[str, str], dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("-n", type=int, default=5, help="how often each fault is inflicted")
    n = parser.parse_args().n
    results = {}
    with services.postgresql_server() as server, services.temporary_folder() as folder:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.brokers.settings", "VAR_DIR": str(folder)}
        os.environ["DATABASE_URL"] = make_sqlite(folder)
        django.setup()
        for name, kind in STAGES:
            url = make_sqlite(folder) if kind == "sqlite" else make_postgresql(server.url, name)
            results[name, kind] = measure(name, url, n)
            print(json.dumps({"broker": name, "database": kind} | results[name, kind]), flush=True)
    write(ROOT / "docs" / "reliability.md", [on_what(n), "", *losses(results)])
    write(ROOT / "docs" / "brokers.md", [on_what(n), "", *speeds(results)])


def measure(name: str, url: str, n: int) -> dict[str, Any]:
    # Only now, for models can be imported once the settings are there.
    from tests.brokers.measuring import measure
    from tests.brokers.stage import stage

    with stage(name, url) as made:
        return measure(made, n)


def on_what(n: int) -> str:
    """Say what was measured on what."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    machine = f"{os.cpu_count()} cores that other work shared"
    return f"`{COMMAND} -n {n}`: Python {platform.python_version()}, {versions}; {machine}."


def losses(results: Results) -> Iterator[str]:
    """Yield the lines of the table of faults: what was lost and double, one column a broker."""
    yield from header("fault", results)
    for fault in next(iter(results.values()))["faults"]:
        cells = [
            "{times} times, {planned} planned: lost {lost}, double {double}".format(**result["faults"][fault])
            for result in results.values()
        ]
        yield f"| {fault} | {' | '.join(cells)} |"


def speeds(results: Results) -> Iterator[str]:
    """Yield the lines of the table of speeds: ratios to Redis on the same database server, and recoveries."""
    yield from header("what", results)
    first = next(iter(results.values()))
    for words, name in (
        ("hand-over rate ÷ that of Redis", "hand-over s"),
        ("runs/s ÷ those of Redis", "run s"),
    ):
        ratios = [f"{first[name] / result[name]:.2f}" for result in results.values()]
        yield f"| {words} | {' | '.join(ratios)} |"
    recoveries = [
        f"{result['recovery median s']:g} s, at most {result['recovery max s']:g} s"
        for result in results.values()
    ]
    yield f"| a killed worker's runs are done after (median) | {' | '.join(recoveries)} |"


def header(what: str, results: Results) -> Iterator[str]:
    yield f"| {what} | {' | '.join(TITLES[stage] for stage in results)} |"
    yield f"|---{'|---' * len(results)}|"


def write(page: Path, lines: list[str]) -> None:
    """Put lines between a page's marks."""
    begin, end = "<!-- measured brokers -->", "<!-- end of measured brokers -->"
    before, _, rest = page.read_text().partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n\n{'\n'.join(lines)}\n\n{end}{after}")


if __name__ == "__main__":
    main()
