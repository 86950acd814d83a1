import signal
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


def group(script: str) -> subprocess.Popen[str]:
    header = "import subprocess, sys\nfrom backoffice.process_group import PYTHON, ProcessGroup\n"
    return subprocess.Popen(
        [sys.executable, "-c", header + dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_group_ends_when_one_of_its_processes_dies() -> None:
    process = group("""
        group = ProcessGroup(broker=None)
        group.add_process("worker", "exec sleep 30")
        group.add_process("web", "exit 3")
        group.loop()
        sys.exit(group.returncode)
    """)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 3, output


def test_group_ends_when_its_broker_dies() -> None:
    process = group("""
        group = ProcessGroup(broker=subprocess.Popen(["sleep", "0.2"]))
        group.add_process("worker", "exec sleep 30")
        group.loop()
        sys.exit(group.returncode)
    """)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 1, output
    assert "the broker ended" in output


def test_group_ends_on_interrupt() -> None:
    process = group("""
        group = ProcessGroup(broker=None)
        group.add_process("worker", "echo ready; exec sleep 30")
        group.loop()
        sys.exit(group.returncode)
    """)
    assert process.stdout
    while "ready" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 130, output


def test_group_lets_the_children_of_a_worker_finish() -> None:
    process = group(f"""
        group = ProcessGroup(broker=None)
        group.add_process("worker", PYTHON + ' -c ' + __import__("shlex").quote({FINISHES_A_RUN!r}))
        group.add_process("web", "exec sleep 0.3")
        group.loop()
    """)
    output, _ = process.communicate(timeout=10)
    assert "run finished" in output
