import psycopg
import pytest
from redis import Redis

from tests import services


def test_redis_server_answers_and_is_gone_afterwards() -> None:
    with services.redis_server() as service, Redis.from_url(service.url) as client:
        assert client.ping()
    assert service.process.returncode is not None


def test_postgresql_server_answers_and_is_gone_afterwards() -> None:
    with services.postgresql_server() as service, psycopg.connect(service.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert service.process.returncode is not None


def test_missing_program_skips_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no-such-server is not installed .*apt install nothing"):
        services.require("no-such-server", package="nothing")


def test_missing_program_fails_where_services_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        services.require("no-such-server", package="nothing")


def test_missing_module_skips_and_names_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no_such_client is not installed .*--with nothing"):
        services.require_module("no_such_client", group="nothing")
