import pytest

from scheduling.crontab import InvalidCrontab, parse, validate
from tests.scheduling.schedules import crontab


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("1-5", {1, 2, 3, 4, 5}),
        ("mon-fri", {1, 2, 3, 4, 5}),
        ("sat,Sunday", {6, 0}),
        ("fri-mon", {5, 6, 0, 1}),
        ("7", {0}),
        ("5-7", {5, 6, 0}),
        ("*/2", {0, 2, 4, 6}),
        ("*", set(range(7))),
    ],
)
def test_day_of_week_is_read_as_celery_and_cron_do(text: str, days: set[int]) -> None:
    assert parse(crontab(f"0 9 * * {text}")).day_of_week == days


@pytest.mark.parametrize(
    ("text", "months"), [("jan,jul", {1, 7}), ("nov-feb", {11, 12, 1, 2}), ("*/3", {1, 4, 7, 10})]
)
def test_month_is_read_as_celery_does(text: str, months: set[int]) -> None:
    assert parse(crontab(f"0 9 * {text} *")).month_of_year == months


def test_spaces_in_a_list_are_allowed() -> None:
    schedule = crontab("0 9 * * *")
    schedule.hour = "9, 17"
    assert parse(schedule).hour == {9, 17}


@pytest.mark.parametrize("fields", ["* 2 * * *", "*/5 2 * * *", "0 * * * *", "0 0-23 * * *", "0-59 2 * * *"])
def test_every_hour_or_minute_has_a_star_however_it_is_written(fields: str) -> None:
    assert parse(crontab(fields)).has_star


@pytest.mark.parametrize("fields", ["30 2 * * *", "0 9-17 * * *", "0,30 9 * * *"])
def test_named_times_of_day_have_no_star(fields: str) -> None:
    assert not parse(crontab(fields)).has_star


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ("60 9 * * *", "minute"),
        ("mon 9 * * *", "minute"),
        ("1-5; 9 * * *", "minute"),
        ("*/0 9 * * *", "minute"),
        (",5 9 * * *", "minute"),
        ("0 24 * * *", "hour"),
        ("0 9 0 * *", "day_of_month"),
        ("0 9 * 13 *", "month_of_year"),
        ("0 9 * mon *", "month_of_year"),
        ("0 9 * * 8", "day_of_week"),
        ("0 9 * * jan", "day_of_week"),
    ],
)
def test_fault_stands_at_its_field(fields: str, field: str) -> None:
    with pytest.raises(InvalidCrontab) as refused:
        parse(crontab(fields))
    assert list(refused.value.faults) == [field]


def test_every_fault_is_told_in_a_sentence() -> None:
    with pytest.raises(InvalidCrontab) as refused:
        parse(crontab("61 9 * * funday"))
    assert refused.value.faults == {
        "minute": '"61" is not a minute. '
        "Write 0 to 59, a list (0,30), a range (10-20), a step (*/15), or * for every one.",
        "day_of_week": '"funday" is not a day of the week. '
        "Write 0 (Sunday) to 6 or sun to sat, a list (mon,thu), a range (mon-fri), or * for every one.",
    }


@pytest.mark.parametrize("date", ["30 2", "31 4,6,9,11"])
def test_date_that_never_comes_is_refused_at_its_day(date: str) -> None:
    with pytest.raises(InvalidCrontab) as refused:
        validate(crontab(f"0 9 {date} *"))
    assert list(refused.value.faults) == ["day_of_month"]


def test_leap_day_is_valid() -> None:
    validate(crontab("0 9 29 2 *"))
