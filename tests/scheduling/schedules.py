"""Periodic tasks with one schedule each, not saved."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)


def crontab(fields: str, zone: str = "UTC") -> CrontabSchedule:
    minute, hour, day_of_month, month_of_year, day_of_week = fields.split()
    return CrontabSchedule(
        minute=minute,
        hour=hour,
        day_of_month=day_of_month,
        month_of_year=month_of_year,
        day_of_week=day_of_week,
        timezone=zone,
    )


def by_crontab(fields: str, zone: str = "UTC", **options: Any) -> PeriodicTask:
    return PeriodicTask(crontab=crontab(fields, zone), **options)


def by_interval(every: int, period: str, **options: Any) -> PeriodicTask:
    return PeriodicTask(interval=IntervalSchedule(every=every, period=period), **options)


def by_sun(event: str, latitude: str, longitude: str) -> PeriodicTask:
    place = {"latitude": Decimal(latitude), "longitude": Decimal(longitude)}
    return PeriodicTask(solar=SolarSchedule(event=event, **place))


def by_clock(clocked_time: datetime) -> PeriodicTask:
    return PeriodicTask(clocked=ClockedSchedule(clocked_time=clocked_time), one_off=True)
