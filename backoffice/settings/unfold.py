"""The theme: its name, colours and icons. The sidebar is `backoffice.navigation`."""

from typing import Any

from django.templatetags.static import static


def _favicon(_request: object) -> str:
    return static("backoffice/favicon.svg")


def _stylesheet(_request: object) -> str:
    return static("backoffice/backoffice.css")


def _keyboard(_request: object) -> str:
    return static("backoffice/keyboard.js")


def _countdown(_request: object) -> str:
    return static("scheduling/countdown.js")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Backoffice",
    "SITE_HEADER": "Backoffice",
    "SITE_SUBHEADER": "Orders, and what they start",
    "SITE_SYMBOL": "receipt_long",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _favicon}],
    "STYLES": [_stylesheet],
    "SCRIPTS": [_keyboard, _countdown],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    # A quiet blue for what can be clicked. Amber is kept for "needs you", red for "failed": whatever is
    # fine has no colour.
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 245)",
            "100": "oklch(94.5% .026 245)",
            "200": "oklch(89.5% .05 245)",
            "300": "oklch(81.5% .082 245)",
            "400": "oklch(72% .11 246)",
            "500": "oklch(61% .125 247)",
            "600": "oklch(50% .118 248)",
            "700": "oklch(43.5% .104 249)",
            "800": "oklch(37.5% .086 250)",
            "900": "oklch(32% .068 251)",
            "950": "oklch(24% .05 252)",
        },
    },
    "DASHBOARD_CALLBACK": "backoffice.dashboard.dashboard",
    "COMMAND": {"search_callback": "backoffice.search.search"},
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "backoffice.navigation.sidebar",
    },
}
