"""The dashboard: how the shop stands, what needs a person, what runs next."""

from backoffice.dashboard.page import dashboard

__all__ = ["dashboard"]
