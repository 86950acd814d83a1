import subprocess
import sys
from textwrap import dedent

# The group handles signals for its whole process, so each test gives it one of its own.
FINISHES_A_RUN = """
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.6); print('run finished')"])
signal.signal(signal.SIGTERM, lambda *_: None)
child.wait()
"""


HEADER = """
import os, shlex, subprocess, sys
from backoffice import process_group
from backoffice.process_group import PYTHON, ProcessGroup
"""
PATIENCE_SECONDS = 60


def run(script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", HEADER + dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)


def test_group_ends_when_one_of_its_processes_dies() -> None:
    done = run("""
        group = ProcessGroup(broker=None)
        group.add_process("worker", "exec sleep 60")
        group.add_process("web", "exit 3")
        group.loop()
        sys.exit(group.returncode)
    """)
    assert done.returncode == 3, done


def test_group_ends_when_its_broker_dies() -> None:
    done = run("""
        group = ProcessGroup(broker=subprocess.Popen(["sleep", "0.2"]))
        group.add_process("worker", "exec sleep 60")
        group.loop()
        sys.exit(group.returncode)
    """)
    assert done.returncode == 1, done
    assert "the broker ended" in done.stdout


def test_group_ends_on_interrupt() -> None:
    done = run("""
        group = ProcessGroup(broker=None)
        group.add_process("web", f"kill -INT {os.getpid()}; exec sleep 60")
        group.loop()
        sys.exit(group.returncode)
    """)
    assert done.returncode == 130, done


def test_group_lets_the_children_of_a_worker_finish() -> None:
    done = run(f"""
        group = ProcessGroup(broker=None)
        group.add_process("worker", PYTHON + ' -c ' + shlex.quote({FINISHES_A_RUN!r}))
        group.add_process("web", "exec sleep 0.3")
        group.loop()
    """)
    assert "run finished" in done.stdout, done


def test_group_kills_what_does_not_stop_in_time() -> None:
    done = run("""
        process_group.STOP_SECONDS = 0
        group = ProcessGroup(broker=None)
        group.add_process("worker", "trap '' TERM; sleep 60")
        group.add_process("web", "exec sleep 0.3")
        group.loop()
    """)
    assert "sending SIGKILL to worker" in done.stdout, done
