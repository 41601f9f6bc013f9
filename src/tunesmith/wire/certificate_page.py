"""A certificate as a page of its own: no script, nothing from elsewhere, light and dark."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--ok:#15803d;--bad:#b91c1c;--line:#8884}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:1rem 0}td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line)}
td.n{font-variant-numeric:tabular-nums}.ok{color:var(--ok)}.bad{color:var(--bad);font-weight:600}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8881;padding:.6rem;border-radius:.4rem;margin:.3rem 0}
summary{cursor:pointer;padding:.3rem 0}@media(prefers-color-scheme:dark){:root{--ok:#4ade80;--bad:#f87171}}
"""


def certificate_page(certificate: dict[str, Any]) -> str:
    """The HTML document."""
    verdict = '<span class="ok">holds</span>' if certificate["passed"] else '<span class="bad">fails</span>'
    when = _time(certificate["certified_at"])
    kind = f"{certificate['format']} {certificate['method'] or ''}".strip()
    rows = "".join(_check(check) for check in certificate["checks"])
    prompts = "".join(_prompt(number, result) for number, result in enumerate(certificate["prompts"], 1))
    title = f"Parity certificate: {certificate['artefact']}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"<p>The certificate {verdict}. <b>{escape(kind)}</b> beside <b>{escape(certificate['source'])}</b>, {when}.</p>"
        "<table><thead><tr><th>Check</th><th>Result</th><th>Value</th><th>Threshold</th><th></th></tr></thead>"
        f"<tbody>{rows}</tbody></table><h2>Prompts</h2>{prompts or '<p>None could be asked.</p>'}</body></html>"
    )


def _check(check: dict[str, Any]) -> str:
    mark = '<td class="ok">passed</td>' if check["passed"] else '<td class="bad">failed</td>'
    return (
        f'<tr><td>{escape(check["name"])}</td>{mark}<td class="n">{_number(check["value"])}</td>'
        f'<td class="n">{_number(check["threshold"])}</td><td>{escape(check["message"] or "")}</td></tr>'
    )


def _prompt(number: int, result: dict[str, Any]) -> str:
    same = result["same_prompt"] is not False and result["same_tokens"] is not False and result["same_answer"] is True
    mark = '<span class="ok">same</span>' if same else '<span class="bad">differs</span>'
    figures = f"agreement {_number(result['token_agreement'])}, mean KL {_number(result['mean_kl'])}"
    parts = [f"<p>{figures}</p><p>Prompt</p><pre>{escape(result['prompt'])}</pre>"]
    if result["artefact_prompt"] is not None:
        parts.append(f'<p class="bad">The artefact renders</p><pre>{escape(result["artefact_prompt"])}</pre>')
    parts.append(f"<p>Source</p><pre>{escape(result['source_answer'])}</pre>")
    if not result["same_answer"]:
        parts.append(f"<p>Artefact</p><pre>{escape(result['artefact_answer'] or '–')}</pre>")
    question = escape(result["question"] if len(result["question"]) <= 80 else result["question"][:79] + "…")
    return f"<details><summary>{number}. {question} {mark}</summary>{''.join(parts)}</details>"


def _time(value: str | None) -> str:
    return datetime.fromisoformat(value).strftime("%Y-%m-%d %H:%M UTC") if value else "–"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
