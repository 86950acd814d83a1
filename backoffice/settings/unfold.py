"""The theme: its name, colours, icons and the grouped sidebar."""

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Backoffice",
    "SITE_HEADER": "Backoffice",
    "SITE_SYMBOL": "receipt_long",
}
