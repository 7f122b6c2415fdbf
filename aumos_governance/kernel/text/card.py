"""Makes the HTML that the magics show, in the colours of the front end's theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from ... import money
from .display import AUDIT_COLUMNS, audit_rows, status_text

# Each colour is JupyterLab's variable, else VS Code's variable, else a colour that is readable on white and on black.
_TEXT: Final = "var(--jp-content-font-color1, var(--vscode-foreground, inherit))"
_FAINT: Final = "var(--jp-content-font-color2, var(--vscode-descriptionForeground, inherit))"
_LINE: Final = "var(--jp-border-color1, var(--vscode-panel-border, #8886))"
_BACKGROUND: Final = "var(--jp-layout-color2, var(--vscode-editorWidget-background, #8881))"
_TRACK: Final = "var(--jp-layout-color3, var(--vscode-scrollbarSlider-background, #8883))"
_FILL: Final = "var(--jp-brand-color1, var(--vscode-progressBar-background, #1976d2))"
_OVER: Final = "var(--jp-error-color1, var(--vscode-errorForeground, #d32f2f))"
_PERCENT: Final = 100
_NO_MATH: Final = "mathjax_ignore tex2jax_ignore"
"""CSS classes that keep MathJax from showing the text between two dollar signs as a formula."""


def status_html(state: Mapping[str, Any], notes: Sequence[str] = ()) -> str:
    """Return the session's ``state`` as a card: the lines of `status_text`, and a bar for the used part of the budget.

    ``notes`` are further lines below it.
    """
    first, *rest = [*status_text(state), *notes]
    lines = "".join(f'<div style="color:{_FAINT};overflow-wrap:anywhere">{escape(line)}</div>' for line in rest[1:])
    figures = f'<div style="overflow-wrap:anywhere">{escape(rest[0])}</div>' if rest else ""
    bar = _bar(state) if state["active"] else ""
    return card_html(first, f"{bar}{figures}{lines}")


def card_html(title: str, body: str) -> str:
    """Return HTML for a framed box with a title, which is plain text, and a body, which is HTML."""
    return (
        f'<div class="{_NO_MATH}" style="display:inline-block;box-sizing:border-box;min-width:20em;max-width:100%;'
        f"padding:8px 12px;"
        f"border:1px solid {_LINE};border-radius:4px;background:{_BACKGROUND};color:{_TEXT};"
        f'line-height:1.5;font-variant-numeric:tabular-nums">'
        f'<div style="font-weight:600">{escape(title)}</div>{body}</div>'
    )


def audit_html(records: Sequence[Mapping[str, Any]]) -> str:
    """Return audit records as an HTML table.

    It states no colours, since notebook front ends style tables themselves.
    """
    if not records:
        return "<p>No audit records yet.</p>"
    head = "".join(f'<th scope="col" style="text-align:left">{escape(name)}</th>' for name in AUDIT_COLUMNS)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{escape(part)}</td>' for part in row) + "</tr>"
        for row in audit_rows(records)
    )
    return f'<table class="{_NO_MATH}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _bar(state: Mapping[str, Any]) -> str:
    used = money.parse(state["spent"]) + money.parse(state["held"])
    limit = money.parse(state["budget"])
    # Any amount used shows at least 1 %, and a budget of $0.00 is used up.
    percent = _PERCENT if used >= limit else max(used * _PERCENT // limit, 1 if used else 0)
    colour = _OVER if used >= limit else _FILL
    # Screen readers skip the bar, since the lines below it have the same figures.
    return (
        f'<div aria-hidden="true" style="height:6px;margin:6px 0;border-radius:3px;overflow:hidden;'
        f'background:{_TRACK}">'
        f'<div style="width:{percent}%;height:100%;background:{colour}"></div></div>'
    )
