"""Every address on one screen."""

from django.urls import path

from rollbook.doors.health import healthz
from rollbook.doors.pages import (
    account,
    automation,
    downloads,
    help_pages,
    home,
    passwords,
    signing_in,
    staff,
    students,
    updates,
    updating,
)
from rollbook.doors.studentupdate import commands

urlpatterns = [
    path("slc/studentupdate/start", commands.start, name="start"),
    path("slc/studentupdate/status", commands.status, name="status"),
    path("slc/studentupdate/cancel", commands.cancel, name="cancel"),
    path("healthz", healthz, name="healthz"),
    path("slc/", signing_in.slc, name="slc"),
    path("sign-in", signing_in.sign_in, name="sign-in"),
    path("sign-out", signing_in.sign_out, name="sign-out"),
    path("forgotten-password", passwords.forgotten, name="forgotten-password"),
    path("password/<str:token>", passwords.by_link, name="password"),
    path("account", account.account, name="account"),
    path("account/password", account.password, name="account-password"),
    path("account/sessions/<str:handle>/end", account.end_session, name="end-session"),
    path("account/sessions/end-others", account.end_other_sessions, name="end-other-sessions"),
    path("", home.home, name="home"),
    path("students", students.listed, name="students"),
    path("students/<int:key>", students.one, name="student"),
    path("students/update", updating.template_or_file, name="students-update"),
    path("students/update/template.csv", updating.template, name="students-template"),
    path("students/update/format", updating.the_format, name="students-format"),
    path("students/update/file", updating.upload, name="students-file"),
    path("students/update/drafts/<uuid:key>", updating.draft, name="draft"),
    path("students/update/drafts/<uuid:key>/apply", updating.apply, name="draft-apply"),
    path("students/update/drafts/<uuid:key>/discard", updating.discard, name="draft-discard"),
    path("updates", updates.listed, name="updates"),
    path("updates/<int:number>", updates.one, name="update"),
    path("updates/<int:number>/progress", updates.progress, name="update-progress"),
    path("updates/<int:number>/rows", updates.rows, name="update-rows"),
    path("updates/<int:number>/cancel", updates.cancel, name="update-cancel"),
    path("updates/<int:number>/rejected.csv", downloads.rejected, name="update-rejected"),
    path("updates/<int:number>/changes.csv", downloads.changes, name="update-changes"),
    path("updates/<int:number>/not-processed.csv", downloads.not_processed, name="update-not-processed"),
    path("automation", automation.automation, name="automation"),
    path("automation/scripts/<str:name>", automation.script, name="automation-script"),
    path("staff", staff.listed, name="staff"),
    path("staff/invite", staff.invite, name="staff-invite"),
    path("staff/<int:key>/invite-again", staff.invite_again, name="staff-invite-again"),
    path("help", help_pages.contents, name="help"),
    path("help/student-file", help_pages.student_file, name="help-student-file"),
    path("help/problems", help_pages.problems, name="help-problems"),
    path("help/commands", help_pages.commands, name="help-commands"),
]

handler400 = "rollbook.doors.middleware.bad_request"
handler403 = "rollbook.doors.middleware.not_allowed"
handler404 = "rollbook.doors.middleware.not_found"
handler500 = "rollbook.doors.middleware.internal_error"
