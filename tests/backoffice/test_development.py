"""Development as it really runs: in a process of its own, for these tests run on other settings."""

import os
import subprocess
import sys
from pathlib import Path

PAGE = """
from django.test import Client
print(Client(SERVER_NAME="localhost").get("/login/").content.decode())
"""


def manage(*arguments: str, var_dir: Path, debug: bool = True) -> str:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "backoffice.settings.development",
            "VAR_DIR": str(var_dir),
            "DEBUG": str(debug),
        },
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


def test_development_shows_the_debug_toolbar_with_its_signals_panel(tmp_path: Path) -> None:
    page = manage("shell", "--no-imports", "-c", PAGE, var_dir=tmp_path)
    assert 'id="djDebug"' in page
    assert "SignalsPanel" in page


def test_development_prints_the_queries_of_its_shell(tmp_path: Path) -> None:
    query = "from django.db import connection; connection.cursor().execute('SELECT 7')"
    printed = manage("debugsqlshell", "-c", query, var_dir=tmp_path)
    assert "SELECT 7" in printed


def test_development_without_debug_has_no_toolbar(tmp_path: Path) -> None:
    page = manage("shell", "--no-imports", "-c", PAGE, var_dir=tmp_path, debug=False)
    assert "djDebug" not in page
