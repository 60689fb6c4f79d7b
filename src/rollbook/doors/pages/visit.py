"""One visit of a page: who came, whether they may, and how they are answered; every page is declared with ``page``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from rollbook.doors.pages import errors
from rollbook.doors.studentupdate.asking import note
from rollbook.roster.models import District
from rollbook.staff import sessions
from rollbook.staff.models import Member
from rollbook.staff.permissions import Permission

SAFE = ("GET", "HEAD")
FORM = (*SAFE, "POST")
POST = ("POST",)

P = ParamSpec("P")


@dataclass(frozen=True)
class Rule:
    """Who may call an address, and how. ``any_of`` empty: every member; ``stranger``: also who is not signed in;
    ``watching``: a page asks there by itself, which is no sign of its reader; ``setting_up``: also who must have a
    second factor, and has none yet."""

    any_of: tuple[Permission, ...] = ()
    methods: tuple[str, ...] = SAFE
    stranger: bool = False
    watching: bool = False
    setting_up: bool = False

    def allows(self, member: Member) -> bool:
        """Whether the member's role is enough."""
        return not self.any_of or any(member.may(permission) for permission in self.any_of)


@dataclass(frozen=True)
class Visit:
    """A member on a page."""

    request: HttpRequest
    member: Member
    now: datetime

    @property
    def district(self) -> District:
        return self.member.district

    def may(self, *any_of: Permission) -> bool:
        """Whether the member has one of these rights."""
        return Rule(any_of).allows(self.member)

    @property
    def sent(self) -> QueryDict | None:
        """The form that was sent, for Django's own to be bound to; None if the page is only looked at."""
        return self.request.POST if self.request.method == "POST" else None

    def render(self, template: str, facts: Mapping[str, Any] | None = None, status: int = 200) -> HttpResponse:
        """The page, or the part of one, that this template makes of the facts."""
        return render(self.request, template, {"visit": self, **(facts or {})}, status=status)

    def redirect(self, name: str, *args: object) -> HttpResponse:
        """On to another page, also for htmx."""
        if getattr(self.request, "htmx", False):
            return HttpResponseClientRedirect(resolve_url(name, *args))
        return redirect(name, *args)

    def say(self, text: str) -> None:
        """Tell something on the next page."""
        messages.success(self.request, text)

    def complain(self, text: str) -> None:
        """Tell on the next page why something was not done."""
        messages.error(self.request, text)

    def warn(self, text: str) -> None:
        """Tell on the next page what is odd about what was done."""
        messages.warning(self.request, text)

    def not_found(self, action: str, detail: str) -> HttpResponse:
        """Answer that there is nothing here, and write it into the audit."""
        self.note(action, "not found", detail)
        return errors.not_found(self.request, self)

    def note(self, action: str, result: str, detail: str = "") -> None:
        """Write into the audit what was done or seen; never a secret, never a student's name."""
        note(self.request, action, result, self.now, member=self.member, detail=detail)


View = Callable[Concatenate[Visit, P], HttpResponseBase]
Door = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def page(
    *any_of: Permission, methods: tuple[str, ...] = SAFE, watching: bool = False, setting_up: bool = False
) -> Callable[[View[P]], Door[P]]:
    """A page for members who have one of these rights; for all members if none is named."""
    rule = Rule(any_of, methods, watching=watching, setting_up=setting_up)

    def declare(view: View[P]) -> Door[P]:
        def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            request.session.watching = rule.watching  # type: ignore[attr-defined]
            member = sessions.member_of(request)
            if member is None:
                return _to_sign_in(request)
            visit = Visit(request, member, timezone.now())
            if member.lacks_second_factor and not rule.setting_up:
                return visit.redirect("second-factor")
            if not rule.allows(member):
                visit.note("page", "not allowed", _name(request))
                return errors.not_allowed(request, visit)
            return view(visit, *args, **kwargs)

        return _declared(view, rule, answer)

    return declare


def open_page(*, methods: tuple[str, ...] = FORM) -> Callable[[Door[P]], Door[P]]:
    """A page for everybody, signed in or not."""
    rule = Rule((), methods, stranger=True)

    def declare(view: Door[P]) -> Door[P]:
        return _declared(view, rule, view)

    return declare


def _declared(view: Callable[..., Any], rule: Rule, answer: Door[P]) -> Door[P]:
    def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.is_secure():
            return errors.use_https(request)
        if request.method not in rule.methods:
            return errors.wrong_method(request, rule.methods)
        try:
            return answer(request, *args, **kwargs)
        except (OperationalError, InterfaceError):
            return errors.database_busy(request)

    update_wrapper(door, view)
    door.rule = rule  # type: ignore[attr-defined]
    return door


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Where the visit goes on after signing in; a form that was sent is not sent again by itself."""
    back = request.get_full_path() if request.method in SAFE else "/"
    to = resolve_url("sign-in") + ("" if back == "/" else "?" + urlencode({"next": back}))
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(resolve_url("sign-in"))
    return redirect(to)


def _name(request: HttpRequest) -> str:
    return (request.resolver_match and request.resolver_match.url_name) or ""
