import pytest
from celery import states
from django.test import Client
from django.urls import reverse

from scheduling.models import Rerun, Run
from scheduling.rerunning import Again, run_many_again
from tests.factories import make_staff
from tests.scheduling.runs import make_run
from tests.scheduling.test_failures import make_failure

pytestmark = pytest.mark.django_db

VIEW = "django_celery_results.view_taskresult"
PAGE = "/django_celery_results/taskresult/failures/"


def make_rerun() -> Rerun:
    failed = [make_run(states.FAILURE).pk for _ in range(3)]
    return run_many_again(failed, how=Again(by="Ana", token="1", per_minute=1), words="reminders")


def test_page_groups_by_cause(admin_client: Client) -> None:
    for _ in range(3):
        make_failure("OSError: refused")
    content = admin_client.get(PAGE).content.decode()
    assert "OSError: refused" in content
    assert "Retry the rest" in content


def test_page_without_failures_says_so(admin_client: Client) -> None:
    assert "Nothing has failed" in admin_client.get(PAGE).content.decode()


def test_page_offers_nothing_to_who_may_only_view(client: Client) -> None:
    make_failure()
    make_rerun()
    client.force_login(make_staff(VIEW))
    content = client.get(PAGE).content.decode()
    assert "OSError: refused" in content
    assert "Retry" not in content
    assert "Halt" not in content


def test_page_is_for_who_may_view(client: Client) -> None:
    client.force_login(make_staff())
    assert client.get(PAGE).status_code == 403


def test_page_shows_how_a_rerun_goes(admin_client: Client) -> None:
    make_rerun()
    assert "0 done, 3 to go of 3" in " ".join(admin_client.get(PAGE).content.decode().split())


def test_rest_of_a_cause_is_run_again_at_a_pace(admin_client: Client) -> None:
    group = [make_failure("OSError: refused") for _ in range(2)]
    other = make_failure("KeyError: EUR")
    cause = Run.objects.get(pk=group[0].pk).cause
    address = reverse("admin:django_celery_results_taskresult_run-again")
    response = admin_client.get(f"{address}?cause={cause}&state=failed")
    assert "Run 2 runs again?" in response.content.decode()
    admin_client.post(f"{address}?cause={cause}&state=failed", {"_form_submitted": "True", "per_minute": 10})
    other.refresh_from_db()
    assert (Rerun.objects.get().total, other.again_as) == (2, "")
