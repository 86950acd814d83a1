"""The main path through the real processes, as a visitor without a browser: `make smoke`.

Web, worker, scheduler and broker run as in the demo, on a free port and in a folder of their own.
`DATABASE_URL` and `CELERY_BROKER_URL` are obeyed, so the same path proves other servers.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from tests.services import free_port, wait_until
from tests.smoke import path
from tests.smoke.browser import Browser

STARTED = time.monotonic()
START_SECONDS = 120
STOP_SECONDS = 30


def main() -> int:
    """Walk the path, say each step with its time, and tell by the exit status whether all held."""
    with tempfile.TemporaryDirectory(prefix="smoke-") as folder:
        log = Path(folder) / "log"
        try:
            walk(Path(folder), log)
        except Exception as error:
            print(f"failed: {error}\n\nThe last lines of the processes:", *last_lines(log), sep="\n")
            return 1
    print(f"Every step held, in {time.monotonic() - STARTED:.1f} s.")
    return 0


def walk(folder: Path, log: Path) -> None:
    environment = os.environ | {"VAR_DIR": str(folder), "DEBUG": "false"}
    browser = Browser(f"http://localhost:{free_port()}/")
    with log.open("w") as output, group(browser, environment, output):
        with step("create a superuser"):
            create_superuser(environment)
        for words, take in path.Path(browser).steps:
            with step(words):
                take()


@contextmanager
def group(browser: Browser, environment: dict[str, str], output: IO[str]) -> Iterator[None]:
    """Run all processes, and see that they stop in time when they are asked to."""
    command = [sys.executable, "manage.py", "start", "--port", str(urlsplit(browser.root).port)]
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        with step("start web, worker and scheduler on an empty database"):
            wait_until(lambda: answers(browser), process, seconds=START_SECONDS)
        yield
        with step("stop everything"):
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(STOP_SECONDS)


def answers(browser: Browser) -> bool:
    try:
        browser.get("login/")
    except OSError:
        return False
    return True


def create_superuser(environment: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "createsuperuser", "--no-input", "--email", path.EMAIL]
    secret = {"DJANGO_SUPERUSER_PASSWORD": path.PASSWORD}
    subprocess.run(command, env=environment | secret, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def step(words: str) -> Iterator[None]:
    start = time.monotonic()
    print(f"{start - STARTED:6.1f} s  {words} … ", end="", flush=True)
    yield
    print(f"done ({time.monotonic() - start:.1f} s)")


def last_lines(log: Path) -> list[str]:
    return log.read_text().splitlines()[-40:] if log.exists() else []


if __name__ == "__main__":
    sys.exit(main())
