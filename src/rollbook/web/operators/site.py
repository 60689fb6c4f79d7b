"""Django's admin without members, passwords and a log of its own: another way in, and our audit."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from rollbook.web.operators import one_time_login

NOT_OURS = {"password_change", "password_change_done", "autocomplete", "view_on_site"}


class OperatorSite(AdminSite):
    """Everything is behind ``entering.door``."""

    site_title = "Rollbook"
    site_header = "Rollbook, for its operators"
    index_title = "What is on this server"
    site_url = None
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return one_time_login.is_in(request)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Without the addresses for who has a password."""
        return [url for url in super().get_urls() if getattr(url, "name", "") not in NOT_OURS]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Takes the secret, once."""
        if request.method == "POST":
            key = one_time_login.one_time_login.redeem(
                request.POST.get("secret", "").strip(), timezone.now()
            )
            one_time_login.note(request, "entered" if key else "wrong secret")
            if key:
                answer = redirect("admin:index")
                answer.set_cookie(
                    one_time_login.COOKIE, key, secure=True, httponly=True, samesite="Strict"
                )
                return answer
        context = {
            **self.each_context(request),
            "title": "Enter",
            "is_wrong": request.method == "POST",
        }
        status = 422 if request.method == "POST" else 200
        return TemplateResponse(request, "operators/enter.html", context, status=status)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The secret has been good once; another one is printed when the command is given again."""
        if request.method == "POST" and one_time_login.is_in(request):
            one_time_login.one_time_login.sign_out()
            one_time_login.note(request, "left")
        return redirect("admin:login")


site = OperatorSite()
