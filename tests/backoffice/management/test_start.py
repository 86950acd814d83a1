import socket

import pytest
from django.core.management import CommandError, call_command


def test_start_refuses_a_port_in_use() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {port} cannot be used .*PORT={port + 1}"):
            call_command("start", port=port)
