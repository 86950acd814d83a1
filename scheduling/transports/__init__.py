"""Kombu's transports, mended where a broker's absence ended or hung the process.

Each is imported only when a URL asks for it, because each needs a library of its own.
"""

from kombu.transport import TRANSPORT_ALIASES


def use_mended_transports() -> None:
    """Let URLs name ours."""
    TRANSPORT_ALIASES["sqs"] = "scheduling.transports.sqs:Transport"
    TRANSPORT_ALIASES["zookeeper"] = "scheduling.transports.zookeeper:Transport"
