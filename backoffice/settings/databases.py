"""What each database needs set to be safe and quick, chosen by what `DATABASE_URL` names."""

from typing import Any

SQLITE = {
    # SQLite's defaults fail under concurrent writers: a transaction that starts by reading cannot
    # become a writer while another one writes. IMMEDIATE takes the write lock first, and waits.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}


def database_settings(named: dict[str, Any]) -> dict[str, Any]:
    """Return Django's settings for a database.

    Args:
        named: what its URL says. Options given there (`?sslmode=require`) go before ours.
    """
    ours = SQLITE if named["ENGINE"] == "django.db.backends.sqlite3" else {}
    return named | {
        # Opening a connection for each request or task costs more than most of them; one that the
        # database has closed meanwhile is noticed before it is used.
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": ours | named.get("OPTIONS", {}),
    }
