"""The base class of every task: claims its run, commits its effect with its success."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import celery
from celery import states
from celery.exceptions import Ignore, Retry
from celery.utils.log import get_task_logger
from django.db import connections, transaction
from django.utils import timezone

from scheduling.arguments import revive
from scheduling.claims import Claim, claim
from scheduling.encoding import encode
from scheduling.exceptions import ClaimLost, ProgressInTransaction
from scheduling.models import Run
from scheduling.retrying import retry_later
from scheduling.unplanned import record_delivery

logger = get_task_logger(__name__)

PROGRESS_PAUSE_SECONDS = 0.5


class Task(celery.Task):
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

    _progress_at = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body under a claim. Called directly, a task is a plain function."""
        request = self.request
        if request.called_directly or request.is_eager:
            return self.run(*args, **kwargs)
        _drop_broken_connections()
        request.claim = held = self._claim(args, kwargs)
        try:
            kwargs = revive(self, kwargs)
            if self.atomic:
                return self._run_atomically(held, args, kwargs)
            return self.run(*args, **kwargs)
        except Retry as retry:
            retry_later(held, retry)
            raise
        except ClaimLost as error:
            logger.warning("%s", error)
            raise Ignore(str(error)) from error

    def _claim(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Claim:
        request = self.request
        held = claim(request.id, worker=request.hostname)
        if held is None and record_delivery(request, args=args, kwargs=kwargs, task=self):
            held = claim(request.id, worker=request.hostname)
        if held is None:
            logger.info(
                "%s[%s] is not waiting to be run: this delivery does nothing",
                self.name,
                request.id,
            )
            raise Ignore("not waiting to be run")
        return held

    def _run_atomically(self, held: Claim, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with transaction.atomic():
            returned = self.run(*args, **kwargs)
            held.end(states.SUCCESS, result=encode(returned))
        return returned

    @contextmanager
    def effect(self) -> Iterator[None]:
        """Commit the database effect in the block together with SUCCESS.

        For tasks that are not `atomic`; what the task returns afterwards is added to its result.

        Raises:
            ClaimLost: the run was given to another attempt meanwhile; the effect is undone.
        """
        held: Claim | None = getattr(self.request, "claim", None)
        with transaction.atomic():
            yield
            if held:
                held.end(states.SUCCESS)

    def progress(self, current: int, total: int | None = None, words: str = "") -> None:
        """Say how far the run is; written at most twice a second, and always when it is complete.

        Args:
            current: how many are done.
            total: of how many, if known.
            words: what is being done.

        Raises:
            ProgressInTransaction: nobody would see it before the end.
        """
        if transaction.get_connection().in_atomic_block:
            raise ProgressInTransaction(self.name)
        now = time.monotonic()
        if current != total and now - self._progress_at < PROGRESS_PAUSE_SECONDS:
            return
        self._progress_at = now
        Run.objects.filter(pk=self.request.id).update(
            progress_current=current, progress_total=total, progress_words=words
        )

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
        limit = self.max_retries if max_retries is None else max_retries
        if limit is not None and request.retries >= limit:
            raise exc or self.MaxRetriesExceededError(f"{self.name} was tried {request.retries + 1} times")
        pause = self.default_retry_delay if countdown is None else countdown
        when = eta or timezone.now() + timedelta(seconds=pause)
        wish = Retry(exc=exc, when=when)
        wish.arguments = {"args": args, "kwargs": kwargs}
        if throw:
            raise wish
        return wish


def _drop_broken_connections() -> None:
    """Let an error of an earlier run cost this one nothing.

    Django's `close_old_connections` would besides, without `CONN_MAX_AGE`, open one for each run.
    """
    for database in connections.all(initialized_only=True):
        if database.errors_occurred and not database.in_atomic_block:
            database.close_if_unusable_or_obsolete()
