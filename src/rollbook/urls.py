"""All addresses of the web interfaces."""

from django.urls import path

from rollbook.web import health
from rollbook.web.api import views as api_views
from rollbook.web.metrics import metrics
from rollbook.web.pages.account import api_tokens, second_factor
from rollbook.web.pages.account import views as account_views
from rollbook.web.pages.audit import views as audit_views
from rollbook.web.pages.automation import views as automation_views
from rollbook.web.pages.expected_files import views as expected_files_views
from rollbook.web.pages.full_sync import views as full_sync_views
from rollbook.web.pages.groups import views as groups_views
from rollbook.web.pages.help import views as help_views
from rollbook.web.pages.home import views as home_views
from rollbook.web.pages.limits import expect_views
from rollbook.web.pages.limits import views as limits_views
from rollbook.web.pages.mapping import header_views
from rollbook.web.pages.mapping import views as mapping_views
from rollbook.web.pages.plan import views as plan_views
from rollbook.web.pages.quiet_hours import views as quiet_hours_views
from rollbook.web.pages.roles import views as roles_views
from rollbook.web.pages.schools import views as schools_views
from rollbook.web.pages.settings import views as settings_views
from rollbook.web.pages.sign_in import password_reset
from rollbook.web.pages.sign_in import views as sign_in_views
from rollbook.web.pages.staff import tokens as staff_tokens
from rollbook.web.pages.staff import views as staff_views
from rollbook.web.pages.students import chosen_views, edit_views
from rollbook.web.pages.students import views as students_views
from rollbook.web.pages.transfers import views as transfers_views
from rollbook.web.pages.updates import downloads, fix_views, undo_views
from rollbook.web.pages.updates import views as updates_views
from rollbook.web.pages.upload import views as upload_views
from rollbook.web.security_txt import security_txt

urlpatterns = [
    path("slc/studentupdate/start", api_views.start, name="start"),
    path("slc/studentupdate/status", api_views.status, name="status"),
    path("slc/studentupdate/cancel", api_views.cancel, name="cancel"),
    path("slc/studentupdate/approve", api_views.approve, name="approve"),
    path("slc/studentupdate/discard", api_views.discard, name="discard"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path(".well-known/security.txt", security_txt, name="security-txt"),
    path("slc/", sign_in_views.slc, name="slc"),
    path("sign-in", sign_in_views.sign_in, name="sign-in"),
    path("sign-in/code", sign_in_views.code, name="sign-in-code"),
    path("sign-out", sign_in_views.sign_out, name="sign-out"),
    path("forgotten-password", password_reset.forgotten, name="forgotten-password"),
    path("password/<str:token>", password_reset.by_link, name="password"),
    path("account", account_views.account, name="account"),
    path("account/password", account_views.password, name="account-password"),
    path("account/emails", account_views.emails, name="account-emails"),
    path("account/second-factor", second_factor.second_factor, name="second-factor"),
    path("account/second-factor/qr.svg", second_factor.qr, name="second-factor-qr"),
    path(
        "account/second-factor/recovery-codes", second_factor.recovery_codes, name="recovery-codes"
    ),
    path("account/second-factor/off", second_factor.turn_off_page, name="second-factor-off"),
    path("account/tokens", api_tokens.index, name="tokens"),
    path("account/tokens/new", api_tokens.new, name="token-new"),
    path("account/tokens/<int:key>/revoke", api_tokens.revoke, name="token-revoke"),
    path("account/sessions/<str:handle>/end", account_views.end_session, name="end-session"),
    path(
        "account/sessions/end-others", account_views.end_other_sessions, name="end-other-sessions"
    ),
    path("", home_views.home, name="home"),
    path("students", students_views.index, name="students"),
    path("students.csv", students_views.list_csv, name="students-csv"),
    path("students/selected/passwords", chosen_views.new_passwords, name="students-passwords"),
    path("students/selected/deactivate", chosen_views.deactivate, name="students-deactivate"),
    path("students/selected/reactivate", chosen_views.reactivate, name="students-reactivate"),
    path("students/selected/transfer", transfers_views.new_of_selected, name="students-transfer"),
    path("students/new", edit_views.new, name="student-new"),
    path("students/<int:key>", students_views.detail, name="student"),
    path(
        "students/<int:key>/confidential", students_views.confidential, name="student-confidential"
    ),
    path("students/<int:key>/seen-by", students_views.viewers, name="student-seen"),
    path("students/<int:key>/edit", edit_views.edit, name="student-edit"),
    path("students/<int:key>/password", edit_views.new_password, name="student-password"),
    path("students/<int:key>/deactivate", edit_views.deactivate, name="student-deactivate"),
    path("students/<int:key>/reactivate", edit_views.reactivate, name="student-reactivate"),
    path("students/update", upload_views.upload_form, name="students-update"),
    path("students/update/template.csv", upload_views.template, name="students-template"),
    path("students/update/sample.csv", upload_views.sample, name="students-sample"),
    path("students/update/format", upload_views.upload_form, name="students-format"),
    path("students/update/file", upload_views.upload, name="students-file"),
    path("students/update/drafts/<uuid:key>", upload_views.draft, name="draft"),
    path("students/update/drafts/<uuid:key>/apply", upload_views.apply, name="draft-apply"),
    path("students/update/drafts/<uuid:key>/columns", header_views.of_draft, name="draft-columns"),
    path("students/update/drafts/<uuid:key>/mapping", mapping_views.of_draft, name="draft-mapping"),
    path("students/update/drafts/<uuid:key>/discard", upload_views.discard, name="draft-discard"),
    path("transfers", transfers_views.index, name="transfers"),
    path("transfers/new/<slug:slug>/<int:key>", transfers_views.new, name="transfer-new"),
    path("transfers/<int:key>", transfers_views.detail, name="transfer"),
    path("transfers/<int:key>/finish", transfers_views.complete, name="transfer-finish"),
    path("transfers/<int:key>/withdraw", transfers_views.withdraw, name="transfer-withdraw"),
    path("transfers/<int:key>/back", transfers_views.reverse, name="transfer-back"),
    path("groups", groups_views.index, name="groups"),
    path("groups/new", groups_views.new, name="group-new"),
    path("groups/<int:key>", groups_views.detail, name="group"),
    path("groups/<int:key>/rename", groups_views.rename, name="group-rename"),
    path("groups/<int:key>/remove", groups_views.remove, name="group-remove"),
    path("groups/<int:key>/put-in", groups_views.add_students, name="group-put-in"),
    path("groups/<int:key>/take-out", groups_views.remove_students, name="group-take-out"),
    path("updates", updates_views.index, name="updates"),
    path("updates/<int:number>", updates_views.detail, name="update"),
    path("updates/<int:number>/progress", updates_views.progress, name="update-progress"),
    path("updates/<int:number>/rows", updates_views.rows, name="update-rows"),
    path("updates/<int:number>/missing", updates_views.missing, name="update-missing"),
    path("updates/<int:number>/missing.csv", downloads.missing, name="update-missing-csv"),
    path("updates/<int:number>/fix", fix_views.fix, name="update-fix"),
    path("updates/<int:number>/again", updates_views.again, name="update-again"),
    path("updates/<int:number>/undo", undo_views.undo, name="update-undo"),
    path("updates/<int:number>/cancel", updates_views.cancel, name="update-cancel"),
    path("updates/<int:number>/columns", header_views.of_update, name="update-columns"),
    path("updates/<int:number>/mapping", mapping_views.of_update, name="update-mapping"),
    path("updates/<int:number>/approve", plan_views.approve, name="update-approve"),
    path("updates/<int:number>/discard", plan_views.discard, name="update-discard"),
    path("updates/<int:number>/rejected.csv", downloads.rejected, name="update-rejected"),
    path("updates/<int:number>/changes.csv", downloads.changes, name="update-changes"),
    path(
        "updates/<int:number>/not-processed.csv",
        downloads.not_processed,
        name="update-not-processed",
    ),
    path("automation", automation_views.automation, name="automation"),
    path("automation/setup/<slug:platform>", automation_views.setup, name="automation-setup"),
    path(
        "automation/first-call/<int:key>",
        automation_views.first_call,
        name="automation-first-call",
    ),
    path("automation/scripts/<str:name>", automation_views.script, name="automation-script"),
    path("staff", staff_views.index, name="staff"),
    path("staff/invite", staff_views.invite, name="staff-invite"),
    path("staff/import", staff_views.staff_file, name="staff-import"),
    path("staff/import/file", staff_views.import_file, name="staff-import-file"),
    path("staff/tokens", staff_tokens.index, name="staff-tokens"),
    path("staff/tokens/revoke", staff_tokens.revoke_all, name="staff-tokens-revoke"),
    path("staff/<int:key>", staff_views.detail, name="member"),
    path("staff/<int:key>/invite-again", staff_views.invite_again, name="staff-invite-again"),
    path("staff/<int:key>/deactivate", staff_views.deactivate, name="member-deactivate"),
    path("staff/<int:key>/reactivate", staff_views.reactivate, name="member-reactivate"),
    path(
        "staff/<int:key>/revoke-tokens",
        staff_views.revoke_tokens,
        name="member-tokens-revoke",
    ),
    path(
        "staff/<int:key>/second-factor-off",
        staff_views.second_factor_off,
        name="member-second-factor-off",
    ),
    path("schools", schools_views.index, name="schools"),
    path("schools/new", schools_views.new, name="school-new"),
    path("schools/import", schools_views.school_file, name="schools-import"),
    path("schools/import/file", schools_views.load_file, name="schools-import-file"),
    path("schools/<int:key>", schools_views.detail, name="school"),
    path("schools/<int:key>/close", schools_views.close, name="school-close"),
    path("roles", roles_views.index, name="roles"),
    path("roles/new/<slug:slug>", roles_views.new, name="role-new"),
    path("roles/<int:key>", roles_views.detail, name="role"),
    path("roles/<int:key>/remove", roles_views.remove, name="role-remove"),
    path("settings", settings_views.settings, name="settings"),
    path("full-sync", full_sync_views.index, name="full-sync"),
    path("expected-files", expected_files_views.index, name="expected-files"),
    path("quiet-hours", quiet_hours_views.index, name="quiet-hours"),
    path("expected-files/pauses", expected_files_views.add_pause, name="pause-add"),
    path("expected-files/pauses/remove", expected_files_views.remove_pause, name="pause-remove"),
    path("mappings", mapping_views.index, name="mappings"),
    path("mappings/<slug:name>", mapping_views.detail, name="mapping"),
    path("mappings/<slug:name>/remove", mapping_views.remove, name="mapping-remove"),
    path("limits", limits_views.index, name="limits"),
    path("limits/profiles/new", limits_views.new_profile, name="limits-profile-new"),
    path("limits/profiles/<int:number>", limits_views.profile, name="limits-profile"),
    path(
        "limits/profiles/<int:number>/remove",
        limits_views.remove_profile,
        name="limits-profile-remove",
    ),
    path("limits/versions/<int:version>", limits_views.version, name="limits-version"),
    path("limits/expect", expect_views.expect, name="limits-expect"),
    path("limits/expect/<int:key>/end", expect_views.end, name="limits-expect-end"),
    path("audit", audit_views.index, name="audit"),
    path("audit.csv", audit_views.download, name="audit-download"),
    path("help", help_views.contents, name="help"),
    path("help/student-file", help_views.student_file, name="help-student-file"),
    path("help/problems", help_views.problems, name="help-problems"),
    path("help/commands", help_views.commands, name="help-commands"),
]

handler400 = "rollbook.web.middleware.bad_request"
handler403 = "rollbook.web.middleware.not_allowed"
handler404 = "rollbook.web.middleware.not_found"
handler500 = "rollbook.web.middleware.internal_error"
