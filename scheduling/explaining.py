"""Why a run that waits has not started: what the database knows of schedulers, broker, workers, queue."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import states
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django_celery_results.models import TaskResult

from scheduling.models import Process, Recurrence, Run
from scheduling.rescue import SILENCE_SECONDS
from scheduling.runs import UNFINISHED, WAITING
from scheduling.templatetags.moments import duration, relative

SILENT_AFTER = timedelta(seconds=SILENCE_SECONDS)
COUNTED_AT_MOST = 1000
DOUBTFUL_HAND_OVERS = 3


@dataclass(frozen=True)
class Cause:
    """One reason why a run has not started.

    Args:
        words: the reason, for staff.
        needs_someone: whether it lasts until somebody does something about it.
    """

    words: str
    needs_someone: bool = False


def explain(run: Run, *, now: datetime) -> list[Cause]:
    """Return why a waiting run has not started, the decisive cause first; nothing for any other run.

    At most four statements.

    Args:
        run: with its task result.
    """
    if run.task_result.status not in WAITING:
        return []
    situation = Situation(run, now)
    return list(situation.causes()) or [Cause("Nothing is in its way: it starts within seconds.")]


def is_alive(process: Process, *, now: datetime) -> bool:
    """Whether a process has given a sign of life lately."""
    return process.seen_at > now - SILENT_AFTER


@dataclass
class Situation:
    """A waiting run, and what stands between it and its start."""

    run: Run
    now: datetime

    def causes(self) -> Iterator[Cause]:
        """Yield every cause, the decisive one first."""
        yield from self._too_late()
        if self._starts_later:
            yield self._starts_later
            return
        yield from self._last_run()
        if not self._is_with_the_broker:
            yield from self._schedulers()
            yield from self._broker()
        yield from self._workers()
        yield from self._queue()
        yield from self._messages()
        yield from self._schedule()

    @property
    def _is_with_the_broker(self) -> bool:
        run = self.run
        handed_over = run.handed_over_at is not None and run.hand_overs > 0
        return handed_over and (run.hand_over_at is None or run.hand_over_at > self.now)

    @cached_property
    def _starts_later(self) -> Cause | None:
        run = self.run
        starts_at = run.hand_over_at
        if run.task_result.status == states.RETRY:
            if starts_at and starts_at > self.now:
                return self._next_attempt(starts_at)
        elif run.due_at > self.now:
            return Cause(f"It is due {relative(run.due_at)}.")
        return None

    def _next_attempt(self, starts_at: datetime) -> Cause | None:
        """A retry was handed over since its attempt failed if its message is younger than that."""
        last = self.run.attempts.order_by("-number").first()
        handed_over_at = self.run.handed_over_at
        if last and handed_over_at and handed_over_at > last.ended_at:
            return None
        error = f" with {last.error}" if last else ""
        return Cause(
            f"Attempt {self.run.attempt - 1} failed{error}. The next one starts {relative(starts_at)}."
        )

    def _too_late(self) -> Iterator[Cause]:
        expires = parse_datetime(str(self.run.options.get("expires", "")))
        if expires and expires <= self.now:
            yield Cause(f"It has expired {relative(expires)}: whichever worker takes it drops it.", True)

    def _last_run(self) -> Iterator[Cause]:
        awaited = self.run.waits_for
        last = TaskResult.objects.filter(task_id=awaited, status__in=UNFINISHED) if awaited else None
        if last and (going := last.only("status", "date_started").first()):
            length = f", for {duration(self.now - going.date_started)} now" if going.date_started else ""
            yield Cause(f"The last run of its schedule is still going{length}; this one waits for its end.")

    def _schedulers(self) -> Iterator[Cause]:
        schedulers = self._processes(Process.Kind.SCHEDULER)
        if not schedulers:
            yield Cause("No scheduler is running, so nothing hands it over.", True)
        elif not any(is_alive(one, now=self.now) for one in schedulers):
            newest = max(one.seen_at for one in schedulers)
            yield Cause(f"The scheduler has been silent for {duration(self.now - newest)}.", True)

    def _broker(self) -> Iterator[Cause]:
        for one in self._processes(Process.Kind.SCHEDULER):
            if one.broker_failing_since and is_alive(one, now=self.now):
                words = (
                    f"The broker has taken no messages for {duration(self.now - one.broker_failing_since)}"
                )
                yield Cause(f"{words}: {one.broker_error}" if one.broker_error else f"{words}.", True)
                return

    def _workers(self) -> Iterator[Cause]:
        if self._listeners:
            return
        silent = [one for one in self._processes(Process.Kind.WORKER) if self.run.queue in one.queues]
        words = f"No worker listens on queue {self.run.queue}"
        if silent:
            newest = max(silent, key=lambda one: one.seen_at)
            words += f"; {newest.name} did, and was last seen {relative(newest.seen_at)}"
        yield Cause(f"{words}.", True)

    def _queue(self) -> Iterator[Cause]:
        ahead = self._count_ahead()
        if not ahead:
            return
        many = f"more than {COUNTED_AT_MOST}" if ahead > COUNTED_AT_MOST else str(ahead)
        waits = "waits" if ahead == 1 else "wait"
        busy = sum(len(one.running) for one in self._listeners)
        places = sum(one.concurrency for one in self._listeners)
        full = f", and the workers are busy with {busy}" if self._listeners and busy >= places else ""
        yield Cause(f"{many} {waits} ahead of it on queue {self.run.queue}{full}.")

    def _messages(self) -> Iterator[Cause]:
        if self.run.hand_overs >= DOUBTFUL_HAND_OVERS and self._listeners:
            yield Cause(
                f"It was handed to the broker {self.run.hand_overs} times and not started: "
                "messages may be getting lost.",
                True,
            )

    def _schedule(self) -> Iterator[Cause]:
        name = self.run.task_result.periodic_task_name
        paused = Recurrence.objects.filter(periodic_task__name=name, periodic_task__enabled=False)
        if name and not self.run.subject and paused.exists():
            yield Cause("Its schedule is paused; this run was due before, and is not held back by that.")

    def _count_ahead(self) -> int:
        run = self.run
        ahead = TaskResult.objects.filter(
            status__in=WAITING, run__queue=run.queue, run__due_at__lt=run.due_at, run__due_at__lte=self.now
        )
        return ahead.order_by().values("pk")[: COUNTED_AT_MOST + 1].count()

    @cached_property
    def _all_processes(self) -> list[Process]:
        return list(Process.objects.order_by("name"))

    def _processes(self, kind: Process.Kind) -> list[Process]:
        return [one for one in self._all_processes if one.kind == kind]

    @cached_property
    def _listeners(self) -> list[Process]:
        workers = self._processes(Process.Kind.WORKER)
        return [one for one in workers if self.run.queue in one.queues and is_alive(one, now=self.now)]
