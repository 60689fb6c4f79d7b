"""Every address of the operators' pages: Django's, and none of the members'."""

from django.urls import path

from rollbook.web.operators import model_admins
from rollbook.web.operators.site import site

__all__ = ["model_admins", "urlpatterns"]  # importing it registers its tables with the site

urlpatterns = [path("", site.urls)]
