"""The base class of every task: claims its run, commits its effect with its success."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import inf
from typing import Any, Never

from celery import states
from celery.contrib.django.task import DjangoTask
from celery.exceptions import Ignore, Reject, Retry, TaskError
from celery.utils.log import get_task_logger
from django.db import connections, transaction
from django.db.models import BigIntegerField
from django.utils import timezone

from scheduling.arguments import revive
from scheduling.claims import Claim, claim
from scheduling.encoding import encode, encode_words, printable
from scheduling.exceptions import DATABASE_AWAY, ClaimLost, ProgressInTransaction
from scheduling.handover import FIRST_PAUSE
from scheduling.models import Run
from scheduling.retrying import lost_pause, retry_later
from scheduling.unplanned import PLANNED_HEADER, record_delivery

logger = get_task_logger(__name__)

PROGRESS_PAUSE_SECONDS = 0.5
PROGRESS_LENGTH = Run._meta.get_field("progress_words").max_length

DATABASE_PAUSE_SECONDS = 1.0


class Task(DjangoTask):
    """A task whose database effect happens at most once.

    A run is claimed before any work: a message that is delivered twice works once. By default the
    whole body is one transaction, committed together with SUCCESS, and only while the claim holds.

    Attributes:
        atomic: set it to False for a task that waits for anything but the database, so that it does
            not hold a transaction (SQLite's only write lock) meanwhile. It then wraps its database
            effect in `with self.effect():`.
        secret_arguments: names of arguments that screens and logs must not show.
        words: what it does, in words for staff: "Send the sales report".
        touches: what it changes or reaches outside, in words for staff.
        schedulable: whether staff may schedule and run it; see `scheduling.catalogue`.

    Retries are Celery's own (`autoretry_for`, `retry_backoff`, `max_retries`, `self.retry()`), but
    wait in the database instead of the broker.
    """

    abstract = True
    atomic = True
    secret_arguments: tuple[str, ...] = ()
    words = ""
    touches = ""
    schedulable = False
    # Templates call what is callable: showing a task on a page would run it.
    do_not_call_in_templates = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body under a claim. Called directly, a task is a plain function."""
        request = self.request
        if request.called_directly or request.is_eager:
            return self.run(*args, **kwargs)
        drop_broken_connections()
        request.claim = held = self._claim(args, kwargs)
        try:
            return self._run_under(held, args, self._revive(kwargs))
        except ClaimLost as error:
            logger.warning("%s", error)
            raise Ignore(str(error)) from error

    def _revive(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments as the task is annotated; Celery's own callers need not keep to that."""
        try:
            return revive(self, kwargs)
        except ValueError:
            if getattr(self.request, PLANNED_HEADER, False):
                raise
            return kwargs

    def _claim(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Claim:
        request = self.request
        try:
            held = self._try_claim(args, kwargs)
        except DATABASE_AWAY as error:
            logger.warning("%s[%s] goes back to its queue: %s", self.name, request.id, error)
            time.sleep(DATABASE_PAUSE_SECONDS)
            raise Reject(error, requeue=True) from error
        if held is None:
            logger.info("%s[%s] is not waiting to be run: this delivery does nothing", self.name, request.id)
            raise Ignore("not waiting to be run")
        return held

    def _try_claim(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Claim | None:
        request = self.request
        attempt = request.retries + 1
        held = claim(request.id, worker=request.hostname, attempt=attempt)
        if held is None and record_delivery(request, args=args, kwargs=kwargs, task=self):
            held = claim(request.id, worker=request.hostname, attempt=attempt)
        return held

    def _run_under(self, held: Claim, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return self._run_atomically(held, args, kwargs) if self.atomic else self._run(held, args, kwargs)
        except Retry as wish:
            _retry(held, wish if hasattr(wish, "given") else self._wish_raised_by_hand(wish))
        except DATABASE_AWAY as error:
            _retry(held, self._wish_for_another_try(error))
        except Ignore as wish:
            if not held.ended:
                held.end(states.REVOKED, result=encode_words(f"the task asked to be ignored: {wish}"))
            raise
        except Reject as wish:
            if wish.requeue:
                _wait_again(held)
            raise

    def _run_atomically(self, held: Claim, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with held.transaction():
            returned = self.run(*args, **kwargs)
            held.end(states.SUCCESS, result=encode(returned))
        return returned

    def _run(self, held: Claim, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            returned = self.run(*args, **kwargs)
        except Exception as error:
            if held.ended:
                held.tell(printable(f"done, and then: {type(error).__name__}: {error}"))
            raise
        if not held.ended:
            held.end(states.SUCCESS, result=encode(returned))
        elif returned is not None:
            held.tell(returned)
        return returned

    @contextmanager
    def effect(self) -> Iterator[None]:
        """Commit the database effect in the block together with SUCCESS.

        For tasks that are not `atomic`, once in each; what the task returns afterwards, or what goes wrong
        then, is added to its result.

        Raises:
            AlreadyDone: it is the second one; its effect is undone.
            ClaimLost: the run was given to another attempt meanwhile; the effect is undone.
        """
        held: Claim | None = getattr(self.request, "claim", None)
        with held.transaction() if held else transaction.atomic():
            yield
            if held:
                held.end(states.SUCCESS)

    def progress(self, current: int, total: int | None = None, words: str = "") -> None:
        """Say how far the run is; written at most twice a second, and always when it is complete.

        A number or a database that does not take it fails no task.

        Args:
            current: how many are done.
            total: of how many, if known.
            words: what is being done.

        Raises:
            ProgressInTransaction: nobody would see it before the end.
        """
        if transaction.get_connection().in_atomic_block:
            raise ProgressInTransaction(self.name)
        request, now = self.request, time.monotonic()
        if current != total and now - getattr(request, "progress_at", -inf) < PROGRESS_PAUSE_SECONDS:
            return
        request.progress_at = now
        mine = Run.objects.filter(pk=request.id, attempt=request.retries + 1)
        try:
            mine.update(
                progress_current=_storable(current),
                progress_total=None if total is None else _storable(total),
                progress_words=printable(words)[:PROGRESS_LENGTH],
            )
        except DATABASE_AWAY as error:
            # Nothing is lost but a glance; the work itself may not need the database before its end.
            logger.warning("%s[%s] could not say how far it is: %s", self.name, request.id, error)
            drop_broken_connections()

    def update_state(
        self, task_id: str | None = None, state: str | None = None, meta: Any = None, **kwargs: Any
    ) -> None:
        """Keep what a task tells of itself, as plain Celery tasks do; its state stays its claim's."""
        held: Claim | None = getattr(self.request, "claim", None)
        if held and task_id in (None, held.task_id):
            held.tell(meta)
        else:
            super().update_state(task_id, state, meta, **kwargs)

    def replace(self, sig: Any) -> Any:
        """Refuse: another task's run under this one's id could not be told from this one's.

        Raises:
            NotImplementedError: unless it runs eagerly.
        """
        if self.request.is_eager:
            return super().replace(sig)
        raise NotImplementedError(f"{self.name} cannot be replaced by another task: call that one instead")

    def retry(
        self,
        args: Any = None,
        kwargs: Any = None,
        exc: Any = None,
        throw: bool = True,
        eta: Any = None,
        countdown: Any = None,
        max_retries: Any = None,
        **options: Any,
    ) -> Any:
        """Try again later, as `celery.Task.retry` does, but wait in the database.

        A pause in the broker would be lost with it, run twice on Redis after the visibility timeout,
        and be refused by Amazon SQS beyond 15 minutes.
        """
        request = self.request
        if request.called_directly or request.is_eager:
            return super().retry(args, kwargs, exc, throw, eta, countdown, max_retries, **options)
        exc = exc or sys.exception()
        limit = self.max_retries if max_retries is None else max_retries
        if limit is not None and request.retries >= limit:
            raise exc or self.MaxRetriesExceededError(f"{self.name} was tried {request.retries + 1} times")
        pause = self.default_retry_delay if countdown is None else countdown
        wish = Retry(exc=exc, when=eta or timezone.now() + timedelta(seconds=pause))
        if isinstance(expires := options.get("expires"), datetime):
            options["expires"] = expires.isoformat()
        wish.given = {"args": args, "kwargs": kwargs, "options": options or None}
        if throw:
            raise wish
        return wish

    def _wish_raised_by_hand(self, wish: Retry) -> Retry:
        """Return a `Retry` that the task made itself as `retry` makes it: with a time, and a limit."""
        eta, countdown = (wish.when, None) if isinstance(wish.when, datetime) else (None, wish.when)
        error = wish.exc or TaskError(wish.message or "the task asked to be tried again")
        made: Retry = self.retry(exc=error, eta=eta, countdown=countdown, throw=False)
        return made

    def _wish_for_another_try(self, error: Exception) -> Retry:
        """Return the wish to try again after an error of the database, which is no fault of the task.

        Raises:
            Exception: the error, if it was tried as often as it may be.
        """
        tried = self.request.retries
        if self.max_retries is not None and tried >= self.max_retries:
            raise error
        return Retry(exc=error, when=timezone.now() + lost_pause(tried + 1))


def _storable(count: int) -> int:
    """Return what a column holds of a number; a bar that is wrong beats a task that fails for it."""
    return max(0, min(count, BigIntegerField.MAX_BIGINT))


def _wait_again(held: Claim) -> None:
    """Give a run back with its message; another one is sent if the broker forgets that."""
    with held.transaction():
        held.end(states.PENDING)
        Run.objects.filter(pk=held.task_id).update(hand_over_at=timezone.now() + FIRST_PAUSE)


def _retry(held: Claim, wish: Retry) -> Never:
    drop_broken_connections()
    try:
        retry_later(held, wish)
    except DATABASE_AWAY as error:
        # It stays STARTED, and rescue puts it back: this worker does not have it any more.
        raise Ignore(str(error)) from error
    raise wish


def drop_broken_connections() -> None:
    """Let an error of an earlier run cost this one nothing, in a child process or the worker's main one.

    Django's `close_old_connections` would besides, without `CONN_MAX_AGE`, open one for each run.
    """
    for database in connections.all(initialized_only=True):
        if database.errors_occurred and not database.in_atomic_block:
            database.close_if_unusable_or_obsolete()
