"""The command line: inflict one fault, or all of them.

python -m tests.faults kill-scheduler-before-commit --backend sqlite -n 3
python -m tests.faults all -n 300
python -m tests.faults table
"""

import argparse
import importlib
import json
import sys
import time

from tests.faults import report
from tests.faults.promises import BOTH, EVERY_POINT, MEASUREMENTS, Measurement

BY_NAME = {measurement.name: measurement for measurement in (*MEASUREMENTS, EVERY_POINT)}
KILLS = 300


def main() -> int:
    arguments = parse()
    if arguments.what in BY_NAME:
        result = measure(BY_NAME[arguments.what], backend=arguments.backend, n=arguments.n)
        print(json.dumps(result))
        return 1 if result["broken"] else 0
    if arguments.what == "all":
        for result in report.measure_all(n=arguments.n or KILLS, at_once=arguments.at_once):
            print(json.dumps(result), flush=True)
    return report.write()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("what", choices=["all", "table", *BY_NAME], metavar="WHAT")
    parser.add_argument("--backend", choices=BOTH, default="sqlite")
    parser.add_argument("-n", type=int, help="how often; for `all`, how many kills a point")
    parser.add_argument("--at-once", type=int, default=1, help="how many measurements beside each other")
    return parser.parse_args()


def measure(measurement: Measurement, *, backend: str, n: int | None) -> dict[str, object]:
    """Run one measurement on servers of its own, in this process."""
    from tests.faults.stage import stage

    module, function = measurement.function.split(":")
    count = n or measurement.n or KILLS
    began = time.monotonic()
    with stage(backend) as made:
        # Only now, for models can be imported once the settings are there.
        run = getattr(importlib.import_module(f"tests.faults.measure.{module}"), function)
        figures = run(made, count, **measurement.options)
    return {
        "measurement": measurement.name,
        "backend": backend,
        "n": count,
        "figures": figures,
        "broken": measurement.broken(figures),
        "seconds": round(time.monotonic() - began, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
