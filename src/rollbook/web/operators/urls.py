"""The addresses of the operators' site: those of Django's admin, and no member pages."""

from django.urls import path

from rollbook.web.operators import model_admins
from rollbook.web.operators.site import site

__all__ = ["model_admins", "urlpatterns"]  # importing model_admins registers them with the site

urlpatterns = [path("", site.urls)]
