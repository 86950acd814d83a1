import ssl

import pytest

from backoffice.settings.brokers import broker_settings


@pytest.mark.parametrize(
    ("url", "queue_type"),
    [
        ("redis://localhost/0", "classic"),
        ("amqp://localhost//", "quorum"),
        ("amqps://localhost//", "quorum"),
        ("sqs://", "classic"),
        ("zookeeper://localhost/", "classic"),
    ],
)
def test_queues_of_rabbitmq_alone_are_kept_by_several_nodes(url: str, queue_type: str) -> None:
    assert broker_settings(url)["CELERY_TASK_DEFAULT_QUEUE_TYPE"] == queue_type


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("rediss://broker.example/0", {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}),
        (
            "amqps://broker.example//",
            {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": "broker.example"},
        ),
    ],
)
def test_certificate_and_name_of_a_broker_with_tls_are_checked(url: str, checked: dict[str, object]) -> None:
    assert broker_settings(url)["CELERY_BROKER_USE_SSL"] == checked


def test_options_of_sqs_are_taken_from_its_url() -> None:
    given = broker_settings("sqs://key:secret@localhost:5000/?region=eu-central-1&is_secure=false")
    assert given["CELERY_BROKER_URL"] == "sqs://key:secret@localhost:5000/"
    options = given["CELERY_BROKER_TRANSPORT_OPTIONS"]
    assert (options["region"], options["is_secure"]) == ("eu-central-1", False)
