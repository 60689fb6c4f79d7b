"""Every address of the operators' pages: Django's, and none of the members'."""

from django.urls import path

from rollbook.web.operators.site import site

__all__ = ["tables"]  # which has registered itself

urlpatterns = [path("", site.urls)]
