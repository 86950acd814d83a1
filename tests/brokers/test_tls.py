"""TLS on real servers: the settings of a `rediss://` or `amqps://` URL trust the right one alone."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu.exceptions import OperationalError

from tests import services
from tests.brokers import servers
from tests.brokers.test_settings import application


@pytest.fixture(scope="module")
def certificate() -> Iterator[Path]:
    """A certificate that says it is of `localhost`, and vouches for itself; its key is beside it."""
    openssl = services.require("openssl", package="openssl")
    with services.temporary_folder() as folder:
        command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
        command += " -addext subjectAltName=DNS:localhost -keyout key.pem -out certificate.pem"
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
        folder.chmod(0o755)
        (folder / "key.pem").chmod(0o644)
        yield folder / "certificate.pem"


@contextmanager
def redis(certificate: Path) -> Iterator[str]:
    port = services.free_port()
    files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(certificate.with_name("key.pem"))]
    with services.redis_server("--tls-port", str(port), "--tls-auth-clients", "no", *files):
        yield f"rediss://{{host}}:{port}/0"


@contextmanager
def rabbitmq(certificate: Path) -> Iterator[str]:
    port = services.free_port()
    with services.temporary_folder(owner=servers.rabbitmq_user()) as folder:
        configuration = folder / "rabbitmq.conf"
        configuration.write_text(
            f"listeners.ssl.default = {port}\n"
            f"ssl_options.certfile = {certificate}\n"
            f"ssl_options.keyfile = {certificate.with_name('key.pem')}\n"
        )
        configuration.chmod(0o644)
        with servers.rabbitmq(folder, services.free_port()):
            yield f"amqps://guest:guest@{{host}}:{port}//"


SERVERS = {"redis": redis, "rabbitmq": rabbitmq}


@pytest.mark.parametrize("name", SERVERS)
def test_broker_is_trusted_only_with_a_known_certificate_and_its_name(
    name: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SERVERS[name](certificate) as url:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        connect(url.format(host="localhost"))
        with pytest.raises((OperationalError, OSError), match=r"(?i)certificate"):
            connect(url.format(host="127.0.0.1"))
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises((OperationalError, OSError), match=r"(?i)certificate"):
            connect(url.format(host="localhost"))


def connect(url: str) -> None:
    with application(url).connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=10, interval_start=0)
        connection.channel().close()
