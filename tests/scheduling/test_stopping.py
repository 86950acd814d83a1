import pytest
from celery import states

from scheduling.claims import claim
from scheduling.exceptions import ClaimLost
from scheduling.stopping import stop_runs
from tests.scheduling.runs import make_run

pytestmark = pytest.mark.django_db


def test_stopped_run_loses_its_claim() -> None:
    run = make_run()
    held = claim(run.pk, worker="celery@a", attempt=1)
    assert held is not None
    assert stop_runs([run.pk], because="stopped by Ana") == {run.pk}
    with pytest.raises(ClaimLost):
        held.end(states.SUCCESS)


def test_stopped_run_says_who_stopped_it() -> None:
    run = make_run(states.STARTED)
    stop_runs([run.pk], because="stopped by Ana")
    run.refresh_from_db()
    assert (run.task_result.status, run.reason) == (states.REVOKED, "stopped by Ana")
    assert run.task_result.date_done is not None


@pytest.mark.parametrize("status", [states.PENDING, states.RETRY, states.SUCCESS, states.FAILURE])
def test_what_does_not_run_is_not_stopped(status: str) -> None:
    run = make_run(status)
    assert stop_runs([run.pk], because="stopped by Ana") == set()
    run.refresh_from_db()
    assert run.task_result.status == status
