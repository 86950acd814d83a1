"""The page of one schedule: its form with a preview beside it, and its history."""

import json
from statistics import median
from typing import Any

from celery import states
from django.contrib import messages
from django.contrib.admin import site
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django_celery_results.models import TaskResult
from unfold.admin import ModelAdmin

from scheduling import catalogue, schedules
from scheduling.admin.argument_forms import PREFIX
from scheduling.admin.dialogs import row_buttons
from scheduling.admin.preview import preview_of
from scheduling.admin.schedule_form import ScheduleForm
from scheduling.admin.schedule_history import shown_history
from scheduling.arguments import arguments_of
from scheduling.models import RecurringTask
from scheduling.wording import in_words

FOUND_AT_MOST = 20
MEASURED = 20


class SchedulePage(ModelAdmin):
    """The form to add and to change a schedule, in place of Django's form of one model."""

    def get_urls(self) -> list[Any]:
        """Add what the form asks for while it is filled in."""
        wrap = self.admin_site.admin_view
        return [
            path("preview/", wrap(self.preview_view), name="scheduling_recurringtask_preview"),
            path("arguments/", wrap(self.arguments_view), name="scheduling_recurringtask_arguments"),
            path(
                "lookup/<str:task_name>/<str:argument>/",
                wrap(self.lookup_view),
                name="scheduling_recurringtask_lookup",
            ),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one schedule, or save it."""
        schedule = self._schedule(request, object_id)
        may_edit = self._may_edit(request, schedule)
        if request.method == "POST" and not may_edit:
            raise PermissionDenied
        data = request.POST if request.method == "POST" else None
        form = ScheduleForm(schedule, data, kind=request.GET.get("kind", "")) if may_edit else None
        if data and form and form.is_valid() and (saved := self._save(request, form)):
            return redirect(saved)
        status = 422 if data else 200
        return TemplateResponse(
            request, "scheduling/schedule_form.html", self._context(request, schedule, form), status=status
        )

    def _schedule(self, request: HttpRequest, object_id: str | None) -> RecurringTask:
        if object_id is None:
            if not self.has_add_permission(request):
                raise PermissionDenied
            return RecurringTask(task=request.GET.get("task", ""))
        schedule: RecurringTask | None = self.get_object(request, object_id)
        if schedule is None:
            raise Http404
        if not self.has_view_or_change_permission(request, schedule):
            raise PermissionDenied
        return schedule

    def _may_edit(self, request: HttpRequest, schedule: RecurringTask) -> bool:
        return schedule.pk is None or self.has_change_permission(request, schedule)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Code owns what it defines: nobody changes that here."""
        return super().has_change_permission(request, obj) and not _is_codes(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What code defines would come back at the next start."""
        in_code = isinstance(obj, RecurringTask) and schedules.is_in_code(obj)
        return super().has_delete_permission(request, obj) and not in_code

    def _save(self, request: HttpRequest, form: ScheduleForm) -> str:
        """Save it and return where to go."""
        is_new = form.periodic_task.pk is None
        with transaction.atomic():
            saved = form.save(by=str(request.user))
            if saved is None:
                return ""
            if is_new:
                self.log_addition(request, saved, f"scheduled {in_words(saved)}")
            else:
                self.log_change(request, saved, f"now {in_words(saved)}")
        if form.is_once:
            messages.success(request, f"{form.what.cleaned_data['name']} is planned.")
            return reverse(f"{self.admin_site.name}:scheduling_delayedtask_changelist")
        messages.success(request, f"{saved.name} runs {in_words(saved)}.")
        return reverse(f"{self.admin_site.name}:scheduling_recurringtask_change", args=[saved.pk])

    def _context(
        self, request: HttpRequest, schedule: RecurringTask, form: ScheduleForm | None
    ) -> dict[str, Any]:
        name = self.admin_site.name
        preview_url = reverse(f"{name}:scheduling_recurringtask_preview")
        return {
            **self.admin_site.each_context(request),
            "title": schedule.name or "New schedule",
            "opts": self.opts,
            "original": schedule if schedule.pk else None,
            "schedule": schedule,
            "words": in_words(schedule) if schedule.pk else "",
            "task_words": catalogue.words_of(schedule.task),
            "arguments_in_words": _arguments(schedule),
            "is_in_code": schedules.is_in_code(schedule),
            "is_retired": schedules.is_retired(schedule),
            "may_delete": self.has_delete_permission(request, schedule),
            "form": form,
            "usually": usual_seconds(form.task.name) if form and form.task else None,
            "buttons": self._buttons(request, schedule) if schedule.pk else "",
            "list_url": reverse(f"{name}:scheduling_recurringtask_changelist"),
            "preview_url": f"{preview_url}?pk={schedule.pk or ''}",
            "history": shown_history(request, schedule) if schedule.pk else None,
        }

    def _buttons(self, request: HttpRequest, schedule: RecurringTask) -> str:
        if schedules.is_retired(schedule):
            return ""
        going = ("pause", "skip-next") if schedule.enabled else ("resume",)
        copy = ("duplicate",) if schedule.task in catalogue.schedulable_tasks() else ()
        return row_buttons(self, request, schedule, ("run-now", *going, *copy), about=schedule.name)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Return what the schedule that is being typed will do."""
        self._only_schedulers(request)
        form = ScheduleForm(self._edited(request), request.GET)
        sketch = form.sketch()
        pk = form.periodic_task.pk
        context = {
            "preview": preview_of(sketch, form.timing, pk=pk) if sketch else None,
            "complaints": [(form.timing[name], words) for name, words in form.timing.errors.items()],
        }
        return render(request, "scheduling/schedule_preview.html", context)

    def arguments_view(self, request: HttpRequest) -> HttpResponse:
        """Return the fields for the arguments of the task that was chosen."""
        self._only_schedulers(request)
        schedule = self._edited(request)
        known = schedule.kwargs if schedule.task == request.GET.get("task") else "{}"
        form = ScheduleForm(RecurringTask(task=request.GET.get("task", ""), kwargs=known))
        usually = usual_seconds(form.task.name) if form.task else None
        return render(request, "scheduling/schedule_arguments.html", {"form": form, "usually": usually})

    def lookup_view(self, request: HttpRequest, task_name: str, argument: str) -> HttpResponse:
        """Return rows of the model that an argument names, as its own page would find them."""
        self._only_schedulers(request)
        task = catalogue.schedulable_tasks().get(task_name)
        model = arguments_of(task)[argument].model if task and argument in arguments_of(task) else ""
        model_admin = next((one for one in site._registry.values() if one.opts.label == model), None)
        if model_admin is None:
            raise Http404
        if not model_admin.has_view_permission(request):
            raise PermissionDenied
        term = request.GET.get(f"{PREFIX}-{argument}", "")
        rows, _ = model_admin.get_search_results(request, model_admin.get_queryset(request), term.lstrip("#"))
        return render(request, "scheduling/lookup.html", {"rows": rows[:FOUND_AT_MOST]})

    def _edited(self, request: HttpRequest) -> RecurringTask:
        pk = request.GET.get("pk", "")
        known = RecurringTask.objects.filter(pk=pk).first() if pk.isdigit() else None
        return known or RecurringTask()

    def _only_schedulers(self, request: HttpRequest) -> None:
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied


def usual_seconds(task_name: str) -> float | None:
    """Return how long the newest successful runs of a task took, in the middle; nothing if there are none."""
    done = TaskResult.objects.filter(task_name=task_name, status=states.SUCCESS, date_started__isnull=False)
    times = done.order_by("-pk").values_list("date_started", "date_done")[:MEASURED]
    seconds = [(ended - started).total_seconds() for started, ended in times if ended]
    return median(seconds) if seconds else None


def _is_codes(obj: Model | None) -> bool:
    return isinstance(obj, RecurringTask) and (schedules.is_in_code(obj) or schedules.is_retired(obj))


def _arguments(schedule: RecurringTask) -> str:
    return catalogue.arguments_in_words(schedule.task, json.loads(schedule.kwargs or "{}"))
