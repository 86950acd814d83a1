"""Run a command beside real servers, named in its environment.

python -m tests.beside postgresql redis -- make smoke
"""

import os
import subprocess
import sys
from contextlib import ExitStack

from tests import services

SERVERS = {
    "postgresql": ("DATABASE_URL", services.postgresql_server),
    "redis": ("CELERY_BROKER_URL", services.redis_server),
}


def main(arguments: list[str]) -> int:
    end = arguments.index("--")
    servers, command = arguments[:end], arguments[end + 1 :]
    environment = dict(os.environ)
    with ExitStack() as running:
        for name, start in map(SERVERS.__getitem__, servers):
            environment[name] = running.enter_context(start()).url
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
