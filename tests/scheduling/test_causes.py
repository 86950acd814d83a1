import pytest

from scheduling.causes import digest_of, error_line


@pytest.mark.parametrize(
    ("stored", "line"),
    [
        ({"exc_type": "OSError", "exc_message": ["refused"]}, "OSError: refused"),
        ({"exc_type": "OSError", "exc_message": [111, "refused"]}, "OSError: 111, refused"),
        ({"exc_type": "KeyError", "exc_message": []}, "KeyError"),
        ({"exc_type": "NotRun", "exc_message": ["the order was paid"]}, "the order was paid"),
    ],
)
def test_error_is_told_in_a_line(stored: dict[str, object], line: str) -> None:
    assert error_line(stored) == line


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("OSError: no route to order 12", "OSError: no route to order 9000"),
        ("KeyError: 'EUR'", "KeyError: 'USD'"),
        ("SMTPError: a@example.com refused", "SMTPError: b@example.net refused"),
        (
            "ClaimLost: 6f1c6ab1-6b0f-4f0e-9f27-5a4f3f3c7c62",
            "ClaimLost: 00000000-0000-4000-8000-000000000000",
        ),
    ],
)
def test_failures_that_differ_in_numbers_and_names_are_alike(one: str, other: str) -> None:
    assert digest_of("orders.tasks.remind", one) == digest_of("orders.tasks.remind", other)


def test_failures_of_other_kinds_are_not_alike() -> None:
    assert digest_of("a", "OSError: refused") != digest_of("a", "OSError: timed out")
    assert digest_of("a", "OSError: refused") != digest_of("b", "OSError: refused")
