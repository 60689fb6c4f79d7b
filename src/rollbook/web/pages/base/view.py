"""Declare the views of pages with ``member_page`` and ``public_page``, and who may call them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from django.contrib import messages
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from rollbook.accounts.audit.disclosures import CONFIDENTIAL_FIELDS
from rollbook.accounts.auth import sessions
from rollbook.accounts.auth.second_factor import SecretUnreadable
from rollbook.accounts.auth.throttle import RateLimited
from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission
from rollbook.districts.models import District
from rollbook.districts.suspension import DistrictSuspended, require_not_suspended
from rollbook.secret_keys import KeyUnusable
from rollbook.web.http.authentication import audit_request
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.forms import FormWithReasons

SAFE = ("GET", "HEAD")
FORM = (*SAFE, "POST")
POST = ("POST",)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class AccessRule:
    """Who may call an address, and with which methods.

    Attributes:
        any_of: the member needs one of these permissions; empty for every member.
        methods: the HTTP methods the address accepts.
        public: whether people who are not signed in may call it too.
        background_poll: whether a page polls the address on its own; such a request does not
            count as activity of the session.
        allow_without_second_factor: whether members may call it who still have to set up
            two-step verification.
    """

    any_of: tuple[Permission, ...] = ()
    methods: tuple[str, ...] = SAFE
    public: bool = False
    background_poll: bool = False
    allow_without_second_factor: bool = False

    def allows(self, member: Member) -> bool:
        """Return whether the member has one of the permissions."""
        return not self.any_of or any(member.may(permission) for permission in self.any_of)


@dataclass(frozen=True)
class PageRequest:
    """A request for a page, with the signed-in member and the time it arrived."""

    request: HttpRequest
    member: Member
    now: datetime

    @property
    def district(self) -> District:
        """Return the member's district."""
        return self.member.district

    def may(self, *any_of: Permission) -> bool:
        """Return whether the member has one of these permissions; True if none is named."""
        return AccessRule(any_of).allows(self.member)

    @property
    def form_data(self) -> QueryDict | None:
        """Return the submitted form for a Django form to be bound to; None if it is not a POST."""
        return self.request.POST if self.request.method == "POST" else None

    def render(
        self, template: str, context: Mapping[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        """Render the template; in addition to ``context`` it gets this as ``page_request``."""
        full_context = {"page_request": self, **(context or {})}
        return render(self.request, template, full_context, status=status)

    def render_form(
        self, template: str, form: FormWithReasons, context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """Render the page of a form; with status 422 if the form was submitted."""
        return self.render(template, {"form": form, **(context or {})}, form.page_status)

    def redirect(self, name: str, *args: object) -> HttpResponse:
        """Return a redirect to the named page that htmx follows too."""
        if is_htmx(self.request):
            return HttpResponseClientRedirect(resolve_url(name, *args))
        return redirect(name, *args)

    def success(self, text: str) -> None:
        """Show a message about success on the next page."""
        messages.success(self.request, text)

    def error(self, text: str) -> None:
        """Show on the next page why something was not done."""
        messages.error(self.request, text)

    def warning(self, text: str) -> None:
        """Show a warning on the next page."""
        messages.warning(self.request, text)

    def require(self, value: T | None, action: str, detail: str) -> T:
        """Return the value unless it is None.

        Args:
            value: what was looked up.
            action: the action for the audit log.
            detail: what was looked for, for the audit log.

        Raises:
            Http404: if the value is None; the audit log records it.
        """
        if value is None:
            self.audit(action, "not found", detail)
            raise Http404(detail)
        return value

    def not_found(self, action: str, detail: str) -> HttpResponse:
        """Return the 404 page, and record that in the audit log."""
        self.audit(action, "not found", detail)
        return errors.not_found(self.request, self)

    def audit(
        self, action: str, result: str, detail: str = "", students: Iterable[int] = ()
    ) -> None:
        """Record in the audit log what was done or seen, before it is shown.

        Args:
            action: What was done or seen.
            result: How it ended.
            detail: What it was done to; never a secret or a student's name.
            students: The primary keys of the students whose names, IDs or data the page shows.
        """
        audit_request(
            self.request,
            action,
            result,
            self.now,
            member=self.member,
            detail=detail,
            students=students,
        )

    def audit_confidential(self, result: str, detail: str, students: Iterable[int]) -> None:
        """Record that confidential fields of these students are shown, in an event of its own."""
        self.audit(CONFIDENTIAL_FIELDS, result, detail, students)


MemberView = Callable[Concatenate[PageRequest, P], HttpResponseBase]
PublicView = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class Page(ABC, Generic[P]):
    """A view that accepts only HTTPS and the methods of its rule."""

    def __init__(self, view: Callable[..., HttpResponseBase], rule: AccessRule) -> None:
        update_wrapper(self, view)
        self.rule = rule

    def __call__(
        self, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        """Return the response to the request, as Django calls a view."""
        if not request.is_secure():
            return errors.use_https(request)
        if request.method not in self.rule.methods:
            return errors.wrong_method(request, self.rule.methods)
        try:
            return self._respond(request, *args, **kwargs)
        except (OperationalError, InterfaceError):
            return errors.database_busy(request)
        except (SecretUnreadable, KeyUnusable):
            return errors.key_missing(request)

    @abstractmethod
    def _respond(
        self, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase: ...


class PublicPage(Page[P]):
    """A page for everyone, signed in or not."""

    def __init__(self, view: PublicView[P], rule: AccessRule) -> None:
        super().__init__(view, rule)
        self._view = view

    def _respond(
        self, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        try:
            return self._view(request, *args, **kwargs)
        except RateLimited as throttled:
            return errors.too_many_attempts(request, throttled.retry_after)
        except DistrictSuspended as suspended:
            return errors.district_suspended(request, suspended)


class MemberPage(Page[P]):
    """A page for the members that its rule allows; its view gets a ``PageRequest``."""

    def __init__(self, view: MemberView[P], rule: AccessRule) -> None:
        super().__init__(view, rule)
        self._view = view

    def _respond(
        self, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if self.rule.background_poll:
            sessions.mark_background_poll(request)
        member = sessions.member_of(request)
        if member is None:
            return _to_sign_in(request, self.rule)
        try:
            require_not_suspended(member.district)
            return self._respond_to(member, request, *args, **kwargs)
        except DistrictSuspended as suspended:
            return errors.district_suspended(request, suspended)

    def _respond_to(
        self, member: Member, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        page_request = PageRequest(request, member, timezone.now())
        if member.lacks_second_factor and not self.rule.allow_without_second_factor:
            return page_request.redirect("second-factor")
        if not self.rule.allows(member):
            page_request.audit("page", "not allowed", _name(request))
            return errors.not_allowed(request, page_request)
        try:
            return self._view(page_request, *args, **kwargs)
        except Http404:
            return errors.not_found(request, page_request)
        except RateLimited as throttled:
            return errors.too_many_attempts(request, throttled.retry_after, page_request)


class PageOrText(Generic[P]):
    """A page for browsers, and a plain-text view with its own sign-in for other clients."""

    def __init__(self, page: MemberPage[P], text: PublicView[P]) -> None:
        update_wrapper(self, page)
        self.rule = page.rule
        self._page = page
        self._text = text

    def __call__(
        self, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        """Return the response to the request, as Django calls a view.

        A browser may send an Authorization header too, for a proxy that needs one; it still gets
        the page.
        """
        view = self._page if errors.wants_page(request) else self._text
        return view(request, *args, **kwargs)


def member_page(
    *any_of: Permission,
    methods: tuple[str, ...] = SAFE,
    background_poll: bool = False,
    allow_without_second_factor: bool = False,
) -> Callable[[MemberView[P]], MemberPage[P]]:
    """Return a decorator that declares a page for members.

    Args:
        any_of: the member needs one of these permissions; without any, every member may call it.
        methods: the HTTP methods the page accepts.
        background_poll: see ``AccessRule``.
        allow_without_second_factor: whether members who still have to set up two-step
            verification may call it.
    """
    rule = AccessRule(
        any_of,
        methods,
        background_poll=background_poll,
        allow_without_second_factor=allow_without_second_factor,
    )

    def declare(view: MemberView[P]) -> MemberPage[P]:
        return MemberPage(view, rule)

    return declare


def public_page(*, methods: tuple[str, ...] = FORM) -> Callable[[PublicView[P]], PublicPage[P]]:
    """Return a decorator that declares a page for everyone."""
    rule = AccessRule((), methods, public=True)

    def declare(view: PublicView[P]) -> PublicPage[P]:
        return PublicPage(view, rule)

    return declare


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx sent the request, to replace part of a page."""
    return bool(getattr(request, "htmx", False))


def _to_sign_in(request: HttpRequest, rule: AccessRule) -> HttpResponse:
    """Redirect to the sign-in, which leads back here; a submitted form is not submitted again.

    The sign-in page says so, and leads to the page of the form if that has the same address.
    """
    sign_in = resolve_url("sign-in")
    if is_htmx(request):
        return HttpResponseClientRedirect(sign_in)
    is_submitted = request.method not in SAFE
    leads_back = not is_submitted or "GET" in rule.methods
    path = request.get_full_path() if leads_back else "/"
    query = {} if path == "/" else {"next": path}
    if is_submitted:
        query["ended"] = "form"
    return redirect(f"{sign_in}?{urlencode(query)}" if query else sign_in)


def _name(request: HttpRequest) -> str:
    return (request.resolver_match and request.resolver_match.url_name) or ""
