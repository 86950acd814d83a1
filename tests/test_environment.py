import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "poetry.lock").write_text("what is locked")
    return tmp_path


def environment(project: Path, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    variables = {"PATH": path, "HOME": str(project), "PYENV_ROOT": str(project)}
    return subprocess.run(
        [project / "scripts/environment"], env=variables, capture_output=True, text=True, timeout=30
    )


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_no_python_is_said_with_what_to_install(project: Path) -> None:
    for name in ("sh", "dirname", "cmp", "cat"):
        (project / "bin").mkdir(exist_ok=True)
        (project / "bin" / name).symlink_to(shutil.which(name) or name)
    done = environment(project, path=str(project / "bin"))
    assert done.returncode != 0
    assert "Python 3.12 or newer" in done.stderr
    assert "apt install python3" in done.stderr


def test_environment_that_holds_what_is_locked_is_left_alone(project: Path) -> None:
    program(project / ".venv/bin/python", "exit 1")
    shutil.copy(project / "poetry.lock", project / ".venv/poetry.lock")
    done = environment(project)
    assert (done.returncode, done.stdout) == (0, "")


def test_failed_installation_is_tried_again(project: Path) -> None:
    program(project / ".venv/bin/python", "exit 1")
    assert environment(project).returncode != 0
    assert environment(project).returncode != 0
    assert not (project / ".venv/poetry.lock").exists()


def test_installation_is_remembered_by_what_was_locked(project: Path) -> None:
    for name in ("bin/python", "bin/pip", "bin/poetry"):
        program(project / ".poetry" / name, "echo installing")
    program(project / ".venv/bin/python", "exit 0")
    assert "installing" in environment(project).stdout
    assert environment(project).stdout == ""
    (project / "poetry.lock").write_text("something newer")
    assert "installing" in environment(project).stdout
