"""Run a command beside real servers, named in its environment.

python -m tests.beside postgresql redis -- make smoke
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests import services
from tests.brokers.servers import SERVERS as BROKERS
from tests.brokers.servers import broker


@contextmanager
def named(server: str) -> Iterator[dict[str, str]]:
    """Run a server, and say how the environment names it."""
    if server == "postgresql":
        with services.postgresql_server() as service:
            yield {"DATABASE_URL": service.url}
    elif server in BROKERS:
        with broker(server) as running:
            yield {"CELERY_BROKER_URL": running.service.url}
    else:
        raise SystemExit(f"{server} is none of postgresql, {', '.join(BROKERS)}")


def main(arguments: list[str]) -> int:
    end = arguments.index("--")
    servers, command = arguments[:end], arguments[end + 1 :]
    environment = dict(os.environ)
    with ExitStack() as running:
        for server in servers:
            environment |= running.enter_context(named(server))
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
