"""Every address on one screen."""

from django.urls import path

from rollbook.doors.health import healthz
from rollbook.doors.pages import report
from rollbook.doors.studentupdate import commands

urlpatterns = [
    path("slc/studentupdate/start", commands.start, name="start"),
    path("slc/studentupdate/status", commands.status, name="status"),
    path("slc/studentupdate/cancel", commands.cancel, name="cancel"),
    path("updates/<int:number>", report.update, name="update"),
    path("healthz", healthz, name="healthz"),
]

handler400 = "rollbook.doors.middleware.bad_request"
handler404 = "rollbook.doors.middleware.not_found"
handler500 = "rollbook.doors.middleware.internal_error"
