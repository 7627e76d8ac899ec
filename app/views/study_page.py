"""A comparison of configurations as one page: tables and pictures, light or dark, and nothing from any network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from ..compare import StudyComparison
from ..study.profiles import Curve
from .line_chart import Axis, Line, line_chart, sample
from .study import Grid, claims, headline, legend, lines_grid, totals_grid

FURTHEST = 1000.0
"""Ratios beyond are not drawn: a profile that far to the right tells only how often a configuration succeeds."""
NEAREST = 1.05
"""The least right end of an axis of ratios, so that it has some length."""

LIGHT = ("#0b6bb5", "#c4500a", "#0b8a63", "#a9458a", "#8a6d00", "#2b95c9", "#5b5b66")
DARK = ("#6db6f2", "#f2955c", "#5ccfa8", "#e092c8", "#d8bd4e", "#8fd0f0", "#b9b9c4")

STYLE = f"""\
:root {{ color-scheme: light dark; --ground: #fff; --ink: #1d1f24; --faint: #6c7078; --rule: #d9dbe0; --alarm: #b3261e;
{" ".join(f"--s{k}: {colour};" for k, colour in enumerate(LIGHT))} }}
@media (prefers-color-scheme: dark) {{
:root {{ --ground: #16181c; --ink: #e4e5e9; --faint: #9a9ea8; --rule: #363a42; --alarm: #ff897d;
{" ".join(f"--s{k}: {colour};" for k, colour in enumerate(DARK))} }} }}
body {{ background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
max-width: 70rem; padding: 0 1rem }}
h1 {{ font-size: 1.3rem }} h2 {{ font-size: 1.05rem; margin: 2rem 0 .3rem }}
.scroll {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; white-space: nowrap }}
th, td {{ border-bottom: 1px solid var(--rule); padding: .25rem .6rem; text-align: right }}
th {{ color: var(--faint); font-weight: 600 }} .l {{ text-align: left }}
p, li {{ max-width: 50rem }} .faint {{ color: var(--faint); font-size: 13px }}
.alarm {{ border-left: 4px solid var(--alarm); color: var(--alarm); font-weight: 600; padding-left: .8rem }}
figure {{ margin: 0 }} figure > svg {{ display: block; max-width: 760px; width: 100% }}
svg text {{ fill: var(--faint); font: 12px system-ui, sans-serif }}
.e {{ text-anchor: end }} .m {{ text-anchor: middle }}
.line {{ fill: none; stroke-width: 2 }} .grid {{ stroke: var(--rule); stroke-width: .6; fill: none }}
.axis {{ stroke: var(--faint); fill: none }}
.key {{ display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; font-size: 13px }}
.sample {{ height: 10px; width: 36px; vertical-align: middle }}
{" ".join(f".s{k} {{ stroke: var(--s{k}) }}" for k in range(len(LIGHT)))}
"""


def study_page(study: StudyComparison) -> str:
    """The whole page as HTML text."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(headline(study))}</title><style>{STYLE}</style></head><body>",
        f"<h1>{_text(headline(study))}</h1>",
        *(f'<p class="alarm">CONTRADICTION: {_text(str(c))}</p>' for c in study.contradictions),
        "<h2>In total</h2>",
        _table(totals_grid(study), 1),
        _list(claims(study)),
        *_charts(study),
        "<h2>Problem by problem</h2>",
        _table(lines_grid(study), 3),
        *(f'<p class="faint">{_text(sentence)}</p>' for sentence in legend(study)),
        "<h2>With care</h2>" if study.cautions else "",
        _list(study.cautions),
        "</body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _charts(study: StudyComparison) -> list[str]:
    share = Axis("share of cells", 0, 1)
    return [
        *_figure(
            study,
            "Performance profile of values",
            "How often (up) a value is at most this many times (right) the best of all configurations.",
            study.value_profile,
            (_ratios(study.value_profile), share),
        ),
        *_figure(
            study,
            "Performance profile of times to proof",
            "How often (up) a proof took at most this many times (right) as long as the quickest one.",
            study.proof_profile,
            (_ratios(study.proof_profile), share),
        ),
        *_figure(
            study,
            "Primal gap over time",
            "How far values are from the best known one, 1 while there is none; the area below is the primal integral.",
            study.gap_curves,
            (Axis("seconds", 0, study.horizon_s), Axis("mean primal gap", 0, 1)),
        ),
    ]


def _ratios(profiles: Mapping[str, Curve]) -> Axis:
    """From 1 to where the last profile ends."""
    last = max((at for curve in profiles.values() for at, _ in curve), default=1.0)
    return Axis("ratio to the best", 1, min(FURTHEST, max(NEAREST, last * 1.02)), log=True)


def _figure(
    study: StudyComparison, title: str, says: str, curves: Mapping[str, Curve], axes: tuple[Axis, Axis]
) -> list[str]:
    """A picture with its key; nothing when there is nothing to draw."""
    number = {total.configuration: k for k, total in enumerate(study.totals)}
    lines = [Line(name, number[name], curve) for name, curve in curves.items() if curve]
    if not lines:
        return []
    key = " ".join(f"<span>{sample(line.number)} {_text(line.name)}</span>" for line in lines)
    chart = line_chart(lines, *axes, label=title)
    return [
        f"<h2>{title}</h2>",
        f'<p class="faint">{says}</p>',
        f'<figure>{chart}<div class="key">{key}</div></figure>',
    ]


def _table(grid: Grid, left: int) -> str:
    header, rows = grid

    def cells(tag: str, words: Sequence[str]) -> str:
        return "".join(f"<{tag}{' class=l' if k < left else ''}>{_text(word)}</{tag}>" for k, word in enumerate(words))

    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{cells("th", header)}</tr></thead><tbody>\n{body}</tbody></table></div>'
    )


def _list(sentences: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{_text(s)}</li>" for s in sentences) + "</ul>" if sentences else ""


def _text(text: str) -> str:
    """``text`` as HTML; control characters and halves of characters are replaced."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
