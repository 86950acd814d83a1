"""The page that shows the chain, held against what is connected, and against the tests it names."""

from pathlib import Path

from django.conf import settings
from django.db.models.signals import (
    ModelSignal,
    m2m_changed,
    post_delete,
    post_init,
    post_save,
    pre_delete,
    pre_init,
    pre_save,
)

from orders.receivers import CHAIN
from tests.orders import test_receivers

SIGNALS: dict[str, ModelSignal] = {
    "pre_init": pre_init,
    "post_init": post_init,
    "pre_save": pre_save,
    "post_save": post_save,
    "pre_delete": pre_delete,
    "post_delete": post_delete,
    "m2m_changed": m2m_changed,
}


def rows_of_the_page() -> list[list[str]]:
    page = Path(settings.BASE_DIR, "docs/chain.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if "|" in line]
    return [row for row in rows if row[0] in SIGNALS]


def links() -> list[tuple[str, str, str]]:
    names = {id(signal): name for name, signal in SIGNALS.items()}
    return [(names[id(signal)], sender.__name__, receiver.__name__) for signal, sender, receiver in CHAIN]


def connected() -> list[tuple[str, str, str]]:
    """Return what Django has connected of ours, by signal, sender and name."""
    senders = {id(sender): sender.__name__ for _, sender, _ in CHAIN}
    return [
        (name, senders.get(key[1], "any"), receiver.__name__)
        for name, signal in SIGNALS.items()
        for key, reference, *_ in signal.receivers
        if (receiver := reference()) and receiver.__module__.startswith("orders")
    ]


def test_page_shows_the_chain_in_its_order() -> None:
    assert [tuple(row[:3]) for row in rows_of_the_page()] == links()


def test_chain_is_all_that_is_connected() -> None:
    assert sorted(connected()) == sorted(links())


def test_page_names_a_test_for_each_link() -> None:
    assert [row[4] for row in rows_of_the_page() if not hasattr(test_receivers, row[4])] == []
