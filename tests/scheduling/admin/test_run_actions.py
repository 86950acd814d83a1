"""What can be done about runs; who may is in `test_viewer_permissions`."""

import pytest
from celery import states
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from scheduling.models import Rerun, Run
from tests.scheduling import sample_tasks
from tests.scheduling.processes import make_process
from tests.scheduling.runs import make_run

pytestmark = pytest.mark.django_db


def url(action: str, *runs: Run, query: str = "") -> str:
    chosen = "&".join(f"_selected_action={run.task_result.pk}" for run in runs)
    address = reverse(f"admin:django_celery_results_taskresult_{action}")
    return f"{address}?{'&'.join(filter(None, (chosen, query)))}"


def act(client: Client, address: str, **data: object) -> HttpResponse:
    given = {"_form_submitted": "True", "reason": "not needed", **data}
    return client.post(address, given, headers={"HX-Request": "true"})  # type: ignore[return-value]


def statuses() -> set[str]:
    return set(TaskResult.objects.values_list("status", flat=True))


def test_dialog_says_the_number_first(admin_client: Client) -> None:
    runs = [make_run(states.FAILURE) for _ in range(3)]
    content = admin_client.get(url("run-again", *runs[:2])).content.decode()
    assert "Run 2 runs again?" in content
    assert "All 3 that match the filter" in content


def test_dialog_of_one_names_it(admin_client: Client) -> None:
    run = make_run(subject="order:7")
    content = admin_client.get(url("cancel", run, query="one=1")).content.decode()
    for words in ("Cancel this run?", "Prune old runs for order:7", "Cancel it"):
        assert words in content


def test_action_takes_only_runs_in_the_right_state(admin_client: Client) -> None:
    content = admin_client.get(url("cancel", make_run(), make_run(states.SUCCESS))).content.decode()
    assert "Cancel 1 run?" in content


def test_all_that_match_leaves_the_others(admin_client: Client) -> None:
    wanted, other = make_run(worker="celery@a"), make_run(worker="celery@b")
    act(admin_client, url("cancel", query="worker=celery@a"))
    wanted.refresh_from_db()
    other.refresh_from_db()
    assert (wanted.task_result.status, other.task_result.status) == (states.REVOKED, states.PENDING)


def test_all_that_match_are_run_again_once(admin_client: Client) -> None:
    for _ in range(3):
        make_run(states.FAILURE)
    act(admin_client, url("run-again", query="state=failed"), per_minute=10)
    act(admin_client, url("run-again", query="state=failed"))
    assert [(one.total, one.per_minute) for one in Rerun.objects.order_by("pk")] == [(3, 10), (0, None)]


def test_one_run_again_leads_to_the_new_run(admin_client: Client) -> None:
    old = make_run(states.FAILURE)
    response = act(admin_client, url("run-again", old, query="one=1"))
    new = Run.objects.get(again_of=old.pk)
    assert response.headers["HX-Redirect"] == reverse(
        "admin:django_celery_results_taskresult_change", args=[new.pk]
    )


def test_one_run_again_sent_twice_runs_once(admin_client: Client) -> None:
    address = url("run-again", make_run(states.FAILURE), query="one=1&token=abc")
    act(admin_client, address)
    act(admin_client, address)
    assert Run.objects.count() == 2


def test_run_whose_task_is_gone_says_so(admin_client: Client) -> None:
    gone = make_run(states.FAILURE, task_name="gone.task")
    act(admin_client, url("run-again", gone, query="one=1"))
    assert (
        "there is no task gone.task"
        in admin_client.get("/django_celery_results/taskresult/").content.decode()
    )


def test_cancelled_run_keeps_who_and_why(admin_client: Client) -> None:
    run = make_run()
    act(admin_client, url("cancel", run), which="chosen", reason="paid by phone")
    run.refresh_from_db()
    assert run.reason.startswith("paid by phone (")


def test_cancel_says_what_came_too_late(admin_client: Client) -> None:
    run = make_run()
    address = url("cancel", run, query="one=1")
    admin_client.get(address)
    TaskResult.objects.filter(task_id=run.pk).update(status=states.STARTED)
    act(admin_client, address)
    assert "too late" in admin_client.get("/django_celery_results/taskresult/").content.decode()


def test_cancel_asks_for_a_reason(admin_client: Client) -> None:
    response = act(admin_client, url("cancel", make_run()), reason="")
    assert "This field is required" in response.content.decode()
    assert statuses() == {states.PENDING}


def test_action_is_written_to_the_audit_trail(admin_client: Client) -> None:
    run = make_run()
    act(admin_client, url("cancel", run), which="chosen")
    assert LogEntry.objects.get().object_id == str(run.task_result.pk)


def test_old_runs_are_deleted_by_the_task_that_does_it_every_night(admin_client: Client) -> None:
    act(admin_client, url("delete-old"))
    assert PeriodicTask.objects.get().task == "scheduling.tasks.prune_results"


def test_run_edited_takes_what_was_typed(admin_client: Client) -> None:
    old = make_run(states.FAILURE, task_name=sample_tasks.send_report.name, kwargs={"days": 7})
    address = url("run-edited", old, query="one=1")
    assert 'value="7"' in admin_client.get(address).content.decode()
    act(admin_client, address, **{"argument-days": 3})
    assert Run.objects.get(again_of=old.pk).kwargs == {"days": 3}


def test_run_edited_knows_arguments_that_were_given_by_their_place(admin_client: Client) -> None:
    old = make_run(states.FAILURE, task_name=sample_tasks.send_report.name, args=[7])
    address = url("run-edited", old, query="one=1")
    assert 'value="7"' in admin_client.get(address).content.decode()
    act(admin_client, address, **{"argument-days": 3})
    new = Run.objects.get(again_of=old.pk)
    assert (new.args, new.kwargs) == ([], {"days": 3})


def test_run_edited_refuses_at_the_field(admin_client: Client) -> None:
    old = make_run(states.FAILURE, task_name=sample_tasks.send_report.name, kwargs={"days": 7})
    response = act(admin_client, url("run-edited", old, query="one=1"), **{"argument-days": "soon"})
    assert "Enter a whole number" in response.content.decode()
    assert Run.objects.count() == 1


def test_run_edited_is_for_catalogued_tasks_alone(admin_client: Client) -> None:
    old = make_run(states.FAILURE, task_name=sample_tasks.remind.name, kwargs={"order_id": 7})
    assert act(admin_client, url("run-edited", old, query="one=1")).status_code == 403


def test_stop_says_where_a_run_cannot_be_ended(admin_client: Client) -> None:
    make_process("worker", name="celery@threads")
    make_process("worker", name="celery@processes", can_stop=True)
    able = make_run(states.STARTED, worker="celery@processes")
    unable = make_run(states.STARTED, worker="celery@threads")
    assert "goes on to its end" not in admin_client.get(url("stop", able)).content.decode()
    assert "On celery@threads it goes on to its end" in admin_client.get(url("stop", unable)).content.decode()
    act(admin_client, url("stop", unable, query="one=1"))
    content = admin_client.get("/django_celery_results/taskresult/").content.decode()
    assert "It was stopped. On celery@threads it goes on to its end" in content
