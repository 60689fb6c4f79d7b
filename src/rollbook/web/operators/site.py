"""Django's admin with a one-time secret instead of passwords, and our audit instead of its log."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from rollbook.web.operators import one_time_login

EXCLUDED_URLS = {"password_change", "password_change_done", "autocomplete", "view_on_site"}


class OperatorSite(AdminSite):
    """The admin site; every page requires a sign-in with the one-time secret."""

    site_title = "Rollbook"
    site_header = "Rollbook operators"
    index_title = "Server data"
    site_url = None
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether the request is from a signed-in operator."""
        return one_time_login.is_operator(request)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Return the addresses of the admin, without those that need a user account."""
        urls = super().get_urls()
        return [url for url in urls if getattr(url, "name", "") not in EXCLUDED_URLS]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the form for the secret, and sign in the browser that sends it."""
        if request.method == "POST":
            key = one_time_login.one_time_login.redeem(
                request.POST.get("secret", "").strip(), timezone.now()
            )
            result = "signed in" if key else "wrong secret"
            one_time_login.audit(request, result)
            if key:
                response = redirect("admin:index")
                response.set_cookie(
                    one_time_login.COOKIE, key, secure=True, httponly=True, samesite="Strict"
                )
                return response
        context = {
            **self.each_context(request),
            "title": "Sign in",
            "is_wrong": request.method == "POST",
        }
        status = 422 if request.method == "POST" else 200
        return TemplateResponse(request, "operators/sign_in.html", context, status=status)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Sign out; to sign in again, run the command again for a new secret."""
        if request.method == "POST" and one_time_login.is_operator(request):
            one_time_login.one_time_login.sign_out()
            one_time_login.audit(request, "signed out")
        return redirect("admin:login")


site = OperatorSite()
