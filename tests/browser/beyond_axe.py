"""Find what axe can't see: landmarks, headings, focus order and visibility, and forced colors."""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

MAX_STOPS = 1000
"""Presses of Tab after which a page is taken for a trap."""

_STRUCTURE = """() => {
    const problems = [];
    const text = element => element ? element.textContent.trim().replace(/\\s+/g, ' ') : '';
    const named = element => element.getAttribute('aria-label') ||
        (element.getAttribute('aria-labelledby') || '').split(' ')
            .map(id => id && text(document.getElementById(id))).join(' ').trim();
    const landmarks = {
        navigation: 'nav, [role=navigation]', search: '[role=search]', complementary: 'aside',
        region: 'section[aria-label], section[aria-labelledby], [role=region]',
        main: 'main, [role=main]', form: 'form[aria-label], form[aria-labelledby]',
    };
    for (const [role, selector] of Object.entries(landmarks)) {
        const found = [...document.querySelectorAll(selector)].filter(e => e.checkVisibility());
        const names = found.map(named);
        if (found.length < 2) continue;
        for (const name of new Set(names)) {
            const count = names.filter(each => each === name).length;
            if (!name) problems.push(`${count} landmarks of the role ${role} have no name`);
            else if (count > 1) problems.push(`${count} ${role} landmarks are named "${name}"`);
        }
    }
    let level = 0;
    for (const heading of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
        if (!heading.checkVisibility()) continue;
        const next = Number(heading.tagName[1]);
        if (next > level + 1) problems.push(`h${next} "${text(heading)}" follows h${level}`);
        level = next;
    }
    for (const element of document.querySelectorAll('[tabindex]'))
        if (element.tabIndex > 0) problems.push(`${element.tagName} has a positive tabindex`);
    for (const element of document.querySelectorAll('[hx-trigger*=every]')) {
        const live = '[aria-live], [role=status], [role=alert], [role=progressbar], progress';
        if (!element.closest('[aria-live], [role=status]') && !element.matches(live) &&
            !element.querySelector(live))
            problems.push(`${element.tagName} changes by itself and isn't a live region`);
    }
    return problems;
}"""
_MARK_STOPS = """() => {
    document.body.tabIndex = -1;  // so that the next stop is the first of the page
    document.body.focus();
    document.body.removeAttribute('tabindex');
    const all = 'a[href], button, input:not([type=hidden]), select, textarea, summary, ' +
        '[tabindex="0"]';
    const stops = [...document.querySelectorAll(all)]
        .filter(each => each.checkVisibility() && !each.disabled && each.tabIndex >= 0);
    const groups = new Map();
    for (const stop of stops) {
        const isRadio = stop.type === 'radio';
        const key = isRadio ? `${stop.form && stop.form.action} ${stop.name}` : stop;
        if (!groups.has(key)) groups.set(key, groups.size);
        stop.dataset.stop = groups.get(key);
    }
    return groups.size;
}"""
_AT = """() => {
    const element = document.activeElement;
    if (!element || element === document.body || !('stop' in element.dataset)) return null;
    const style = getComputedStyle(element);
    const isVisible = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) ||
        style.boxShadow !== 'none';
    return {stop: Number(element.dataset.stop), isVisible, html: element.outerHTML.slice(0, 120)};
}"""
_WITHOUT_BORDER = """() => [...document.querySelectorAll(
        'button:not(.link), .button, select, textarea, ' +
        'input:not([type=hidden], [type=checkbox], [type=radio], [type=file])')]
    .filter(each => each.checkVisibility())
    .filter(each => {
        const style = getComputedStyle(each);
        return style.borderTopStyle === 'none' || parseFloat(style.borderTopWidth) === 0;
    })
    .map(each => each.outerHTML.slice(0, 120))"""


def find_structure_problems(page: Page) -> list[str]:
    """Return what is wrong with landmarks, headings, tab indexes and live regions."""
    problems: list[str] = page.evaluate(_STRUCTURE)
    return problems


def find_keyboard_problems(page: Page) -> Iterator[str]:
    """Go through the page with Tab alone, and yield what can't be reached, seen or left.

    The order of the stops must be that of the page's text, which is read aloud.
    """
    count: int = page.evaluate(_MARK_STOPS)
    visited: list[int] = []
    for _ in range(MAX_STOPS):
        page.keyboard.press("Tab")
        at: dict[str, Any] | None = page.evaluate(_AT)
        if at is None or (visited and at["stop"] == visited[0] != visited[-1]):
            break
        if visited and at["stop"] == visited[-1]:  # the parts of a date are stops of one field
            continue
        visited.append(at["stop"])
        if not at["isVisible"]:
            yield f"the focus can't be seen on {at['html']}"
    else:
        yield f"Tab doesn't leave the page after {MAX_STOPS} stops"
    if visited != sorted(visited):
        yield f"the focus goes back and forth: {visited}"
    if missing := set(range(count)) - set(visited):
        yield f"Tab doesn't reach {len(missing)} of {count} stops: {sorted(missing)}"


def find_forced_color_problems(page: Page) -> Iterator[str]:
    """Yield the fields and buttons that can't be recognized in high contrast.

    The system's colors replace all backgrounds and shadows then, so a border must remain.
    """
    page.emulate_media(forced_colors="active")
    for html in page.evaluate(_WITHOUT_BORDER):
        yield f"there is no border in forced colors: {html}"
    page.emulate_media(forced_colors="none")
