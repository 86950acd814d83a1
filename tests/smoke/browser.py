"""A browser without a window or scripts: it keeps cookies, follows links, fills in forms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

TIMEOUT_SECONDS = 20


@dataclass
class Form:
    """A form: where it is sent, and what its fields hold before anyone types."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    """What an address answered."""

    url: str
    forms: list[Form]
    links: list[str]
    text: str

    def form(self, name: str) -> Form:
        """Return the first form that has this field."""
        for form in self.forms:
            if name in form.fields:
                return form
        raise AssertionError(f"{self.url} has no field {name}: {self.text}")

    def link(self, pattern: str) -> str:
        """Return the first link whose address matches."""
        for link in self.links:
            if re.search(pattern, link):
                return link
        raise AssertionError(f"{self.url} has no link like {pattern}: {self.links}")


class Browser:
    """One visitor of one site."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, address: str, **query: str) -> Page:
        """Open an address of the site, or one that a page linked to."""
        return self._open(Request(urljoin(self.root, address) + (f"?{urlencode(query)}" if query else "")))

    def submit(self, form: Form, values: Mapping[str, str] | None = None, *, button: str = "") -> Page:
        """Fill in a form and send it, by one of its buttons if it has several."""
        data = form.fields | dict(values or {}) | ({button: "1"} if button else {})
        return self._open(Request(form.action, urlencode(data).encode()))

    def _open(self, request: Request) -> Page:
        with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return read(response.url, response.read().decode())


def read(url: str, html: str) -> Page:
    """Find the forms, links and words of a page."""
    parser = _Reader(url)
    parser.feed(html)
    return Page(url, parser.forms, parser.links, " ".join(" ".join(parser.words).split()))


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._select = ""
        self._textarea = ""
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        # A dialog is fetched by htmx: an address like any other.
        self.links += [values[name] for name in ("href", "hx-get") if values.get(name)]
        match tag:
            case "form":
                self.forms.append(Form(urljoin(self._url, values.get("action", ""))))
            case "input":
                self._input(values)
            case "select":
                self._select = values.get("name", "")
                self._fill(self._select, "")
            case "option" if self._select and "selected" in values:
                self._fill(self._select, values.get("value", ""))
            case "textarea":
                self._textarea = values.get("name", "")
                self._fill(self._textarea, "")
            case "script" | "style" | "template":
                self._silent = True

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "select":
                self._select = ""
            case "textarea":
                self._textarea = ""
            case "script" | "style" | "template":
                self._silent = False

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._fill(self._textarea, data.removeprefix("\n"))
        elif not self._silent:
            self.words.append(data)

    def _input(self, values: dict[str, str]) -> None:
        kind = values.get("type", "text")
        ticked = kind not in ("checkbox", "radio") or "checked" in values
        if kind not in ("submit", "button", "image", "file", "reset") and ticked:
            self._fill(values.get("name", ""), values.get("value", "on" if kind == "checkbox" else ""))

    def _fill(self, name: str, value: str) -> None:
        if name and self.forms:
            self.forms[-1].fields[name] = value
