"""What runs again and again: the list, and each schedule's page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from scheduling import catalogue
from scheduling.models import RecurringTask


@admin.register(RecurringTask)
class PeriodicTaskAdmin(ModelAdmin):
    """The list of recurring schedules."""

    list_display = ("name", "what")
    list_per_page = 50
    list_disable_select_all = True
    list_fullwidth = True
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ("name", "task")
    ordering = ("name",)
    readonly_fields = fields = ("name", "what")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Not yet."""
        return False

    @admin.display(description="Task")
    def what(self, row: Any) -> str:
        """Return the task in words."""
        return catalogue.words_of(row.task)
