"""The addresses: the admin is the whole site."""

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", admin.site.urls),
]

if apps.is_installed("debug_toolbar"):
    # First, for the admin answers every address that nobody before it does.
    urlpatterns.insert(0, path("__debug__/", include("debug_toolbar.urls")))
