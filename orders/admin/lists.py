"""What the screens of the order desk share."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator


class GrowingListAdmin(ModelAdmin):
    """A list that stays quick as its table grows: it counts nothing and acts on no row unseen."""

    paginator = InfinitePaginator
    show_full_result_count = False
    list_disable_select_all = True
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    actions = None


class ReadOnly:
    """Rows that are read here and written by verbs."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: entries come from verbs."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what happened stays as it was written."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what happened stays."""
        return False
