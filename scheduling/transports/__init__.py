"""Kombu's transports, mended where a broker's absence ended or hung the process.

Each is imported only when a URL asks for it, because each needs a library of its own.
"""

from functools import partial

from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

from scheduling.brokers import BY_SCHEME


def use_mended_transports() -> None:
    """Let URLs name ours."""
    for scheme in ("sqs", "zookeeper"):
        TRANSPORT_ALIASES[scheme] = partial(find_transport, scheme)


def find_transport(scheme: str) -> str:
    """Return where a transport is; kombu asks when a URL names it.

    Raises:
        ImproperlyConfigured: its library is missing; a process that skips Django's checks, as workers do,
            would only say that a module was not found.
    """
    broker = BY_SCHEME[scheme]
    if broker.missing:
        raise ImproperlyConfigured(
            f"{broker.name} needs {', '.join(broker.missing)}. {broker.how_to_install}"
        )
    return f"scheduling.transports.{scheme}:Transport"
