"""The addresses: the admin is the whole site."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", admin.site.urls),
]
