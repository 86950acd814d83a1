"""A change list that pages by key: newest first, as fast on the last page as on the first."""

from typing import Any

from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList


class KeyPaginator(InfinitePaginator):
    """Counts nothing; the links to other pages are the change list's."""

    template_name = "scheduling/newest_first_pages.html"


class NewestFirst(ChangeList):
    """Rows by falling id: the order in which they became due, with no other index than the key's.

    In the address `p` is not the number of a page but the id the page starts before, so that a page
    stays what it is while new rows come in, and no page needs the rows before it to be skipped.
    """

    older: str = ""
    newest: str = ""

    def get_results(self, request: HttpRequest) -> None:
        """Read one page and one row more, which tells whether there is another page."""
        rows = self.queryset.order_by("-pk")
        if PAGE_VAR in request.GET:
            rows = rows.filter(pk__lt=self.page_num)
            self.newest = self.get_query_string(remove=[PAGE_VAR])
        found = list(rows[: self.list_per_page + 1])
        self.result_list = found[: self.list_per_page]
        if len(found) > self.list_per_page:
            self.older = self.get_query_string({PAGE_VAR: self.result_list[-1].pk})
        self._describe(request)

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[str]:
        """Return the only order there is."""
        return ["-pk"]

    def _describe(self, request: HttpRequest) -> None:
        """Set what Django's templates ask of a page."""
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.result_count = len(self.result_list)
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = bool(self.older or self.newest)
