"""The page of figures."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import django
import psycopg

PACKAGES = ("celery", "kombu", "redis", "psycopg", "django-celery-beat", "django-celery-results")


def write_report(path: Path, results: Mapping[str, Any]) -> None:
    """Write every figure with its goal, the command, the machine and the versions."""
    lines = [*_head(), *_table(results), *READING, *_pages(results["pages"])]
    path.write_text("\n".join(lines) + "\n")


def _head() -> list[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        "# Benchmarks",
        "",
        "Written by `make bench`: ratios of medians, each measured in one run, where the two sides take",
        "turns. Rates are this machine's and say little about another one.",
        "",
        f"{os.cpu_count()} cores; Python {platform.python_version()}, Django {django.__version__},",
        f"{packages};",
        f"libpq {psycopg.pq.version() // 10000}; one PostgreSQL and one Redis on the same machine.",
        "",
    ]


def _table(results: Mapping[str, Any]) -> list[str]:
    rows = ["| what | figure | goal |", "| --- | ---: | ---: |"]
    for due in (200, 1000, 10_000):
        rates = results[f"dispatch {due}"]
        stock_goal = "≥ 30 ×" if due == 10_000 else ""
        rows += [
            _row(f"{due:,} due one-offs beside 1,000,000 future ones: rate", _rate(rates["ours_per_second"])),
            _row("… over a bare `apply_async` loop", _ratio(rates["ours_over_bare"]), "≥ 1.0 ×"),
            _row("… over beat's `DatabaseScheduler`", _ratio(rates["ours_over_stock"]), stock_goal),
        ]
    throughput, planning, latency = results["throughput"], results["planning"], results["latency"]
    empty, million = results["idle empty"], results["idle million"]
    return [
        *rows,
        _row("two schedulers over one", _ratio(results["two schedulers"]["two_over_one"]), "≥ 1.6 ×"),
        _row("idle tick, nothing planned", f"{empty['tick_milliseconds']:.1f} ms"),
        _row("idle tick beside 1,000,000 future one-offs", f"{million['tick_milliseconds']:.1f} ms"),
        _row("scheduler's memory, nothing planned", f"{empty['memory_mib']:.0f} MiB"),
        _row("scheduler's memory beside 1,000,000", f"{million['memory_mib']:.0f} MiB"),
        _row(
            "small tasks, results stored, over results ignored",
            _ratio(throughput["ours_over_ignored"]),
            "≥ 0.6 ×",
        ),
        _row("… over the stock `django-db` backend", _ratio(throughput["ours_over_stock"]), "≥ 3 ×"),
        _row("statements to plan one delayed task", f"{planning['ours_statements']:.0f}", "≤ 3"),
        _row("… through beat's models", f"{planning['stock_statements']:.0f}"),
        _row("commit to start at 50 orders a second, p50", f"{latency['p50_seconds']:.3f} s"),
        _row("… p99", f"{latency['p99_seconds']:.3f} s", "≤ 1 s"),
        "",
    ]


def _pages(costs: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [
        "",
        "## The pages of background work",
        "",
        "Each asked for by a test client, with nothing in the cache, in a small back-office (1,000 runs, 100",
        "schedules, 1,000 delayed tasks) and a large one (1,000,000, 10,000 and 100,000). A run became due",
        "every second, and every fiftieth failed. The charts count a day or a week of runs, of which the",
        "small one has a quarter of an hour; what they counted is then kept in the cache.",
        "",
        "| page | questions, small and large | time, large over small | large |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {page} | {cost['questions_small']:.0f}, {cost['questions_large']:.0f} "
            f"| {_ratio(cost['large_over_small'])} | {cost['milliseconds_large']:.0f} ms |"
            for page, cost in costs.items()
        ),
    ]


def _row(what: str, figure: str, goal: str = "") -> str:
    return f"| {what} | {figure} | {goal} |"


def _rate(value: float) -> str:
    return f"{value:,.0f} /s"


def _ratio(value: float) -> str:
    return f"{value:.2f} ×"


READING = [
    "Beat's own scheduler is stopped after half a minute; its rate is of what had left by then. The bare",
    "loop bears our mark, so that nothing of ours is in it. Small tasks are timed in one",
    "worker of two processes, from the time that its first 200 messages have left the queue to its last 200.",
    "",
    "## What limits the goals that are not reached",
    "",
    "- With 200 due one-offs nothing is published while the one batch that holds them is claimed; from",
    "  1,000 on one batch is claimed while the one before is published, a hundred messages a round trip.",
    "- A stored result is two statements and a commit in the worker, beside a task that does nothing.",
    "  Worker, PostgreSQL and Redis share the cores: it is their processor time that both ratios show.",
]
