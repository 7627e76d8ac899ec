"""A comparison of configurations as text, Markdown and CSV.

Text and Markdown show the same tables, rounded for people; CSV has every line with its figures as they are.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from itertools import groupby
from math import isclose

from catalytic.solver.units import format_size, to_seconds

from ..compare import ConfigurationLine, InstanceLine, StudyComparison, Versus
from ..study.statistics import FEWEST, RatioInterval, Spread
from .lines import paragraph
from .table import on_one_line, table
from .words import bound_seconds, percent, plural, seconds

Grid = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""A header and its rows, as words."""

NOTHING = "-"


def study_text(study: StudyComparison, *, width: int) -> str:
    """The comparison for a terminal: totals first, then what may be claimed, then every problem."""
    blocks = [headline(study)]
    blocks += [f"CONTRADICTION: {c}" for c in study.contradictions]
    header, rows = totals_grid(study)
    # A heading that has to be cut is worse than a short one, and 80 columns are full.
    blocks.append(_plain((("config", *header[1:]), rows), 1, width))
    blocks.append("\n".join(paragraph(sentence, width=width) for sentence in [*claims(study), *legend(study)]))
    blocks.append(_by_problem(lines_grid(study), width))
    blocks += [paragraph(f"note: {caution}", width=width) for caution in study.cautions]
    return "\n\n".join(blocks)


def study_markdown(study: StudyComparison) -> str:
    """The comparison as a Markdown document."""
    blocks = [f"# {headline(study)}"]
    blocks += [f"> **CONTRADICTION:** {c}" for c in study.contradictions]
    blocks += [_marked(totals_grid(study), 1), "\n".join(f"- {on_one_line(sentence)}" for sentence in claims(study))]
    blocks += [" ".join(legend(study)), _marked(lines_grid(study), 3)]
    if study.cautions:
        blocks.append("\n".join(f"- {caution}" for caution in study.cautions))
    return "\n\n".join(block for block in blocks if block)


def headline(study: StudyComparison) -> str:
    """``study: 3 problems x 2 configurations x 3 seeds, 18 cells; baseline fast``."""
    return on_one_line(
        f"{study.folder}: {plural(study.problems, 'problem')} x {plural(len(study.totals), 'configuration')} x "
        f"{plural(study.seeds, 'seed')}, {plural(study.cells, 'cell')}; baseline {study.baseline}"
    )


def claims(study: StudyComparison) -> list[str]:
    """One sentence per configuration and measure: the ratio to the baseline, and what it allows to say."""
    said = []
    for versus in study.versus:
        if versus.value is not None:
            only = [
                f"{plural(count, 'cell')} solved by {who} alone"
                for count, who in ((versus.only, versus.configuration), (versus.only_baseline, study.baseline))
                if count
            ]
            said.append(_claim(study, versus, "values", versus.value, *only))
        if versus.proof is not None:
            said.append(_claim(study, versus, "times to proof", versus.proof))
    return said


def _claim(study: StudyComparison, versus: Versus, what: str, ratio: RatioInterval, *more: str) -> str:
    over = plural(ratio.count, versus.over.removesuffix("s"))
    if versus.over == "seeds":
        over += " of one problem"
    verdict = {
        -1: f"{versus.configuration} has smaller ones",
        0: "no difference is shown",
        1: f"{study.baseline} has smaller ones",
    }[ratio.claim]
    if ratio.count < FEWEST:
        verdict = "too few to show anything"
    aside = "".join(f"; {words}" for words in more)
    return f"{what}, {versus.configuration} / {study.baseline}: {ratio_words(ratio)} over {over}: {verdict}{aside}"


def legend(study: StudyComparison) -> list[str]:
    """How the figures were made."""
    return [
        f"Intervals: {study.confidence:.0%}, Student's t over logarithms of paired ratios. Value and bound in total: "
        "geometric means over the problems that all configurations of the objective solved; gap and times: geometric "
        "means over cells, shifted by 1% and 1 s, what never happened counted as the time limit. Integral: of the "
        f"primal gap over {seconds(study.horizon_s)}. On each problem: medians over seeds, the best bound."
    ]


def totals_grid(study: StudyComparison) -> Grid:
    header = (
        "configuration", "cells", "solved", "proved", "failed", "wins", "value", "bound", "gap", "first", "best",
        "proof", "integral",
    )  # fmt: skip
    return header, [_total(line) for line in study.totals]


def _total(line: ConfigurationLine) -> tuple[str, ...]:
    failed = line.cells - line.ended.get("answered", 0)
    return (
        line.configuration,
        str(line.cells),
        str(line.solved),
        str(line.proved),
        str(failed),
        str(line.wins) if line.sole_wins == line.wins else f"{line.wins} ({line.sole_wins} alone)",
        _value(line.value, line.objective),
        _bound(line.bound, line.value, line.objective),
        NOTHING if line.gap is None else percent(max(0.0, round(line.gap, 9))),
        _time(line.first_s),
        _time(line.best_s),
        _time(line.proof_s),
        _time(line.primal_integral_s),
    )


def lines_grid(study: StudyComparison) -> Grid:
    header = (
        "problem", "configuration", "status", "value", "spread", "bound", "gap", "first", "best", "proof",
        f"/ {study.baseline}",
    )  # fmt: skip
    return header, [_line(line) for line in study.lines]


def _line(line: InstanceLine) -> tuple[str, ...]:
    return (
        line.instance,
        line.configuration,
        status_words(line.status),
        _value(None if line.value is None else line.value.median, line.objective),
        _spread(line.value),
        _bound(line.bound, None if line.value is None else line.value.median, line.objective),
        NOTHING if line.gap is None else percent(line.gap),
        _time(line.first_s),
        _time(line.best_s),
        _time(line.proof_s),
        NOTHING if line.ratio is None else ratio_words(line.ratio),
    )


def status_words(status: Mapping[str, int]) -> str:
    """``OPTIMAL``, or ``2 OPTIMAL, 1 FEASIBLE`` where seeds differ."""
    if len(status) == 1:
        return next(iter(status))
    return ", ".join(f"{count} {word}" for word, count in sorted(status.items(), key=lambda item: (-item[1], item[0])))


def ratio_words(ratio: RatioInterval) -> str:
    """``0.970 (0.951 to 0.990)``."""
    if ratio.low is None or ratio.high is None:
        return f"{ratio.ratio:.3f}"
    return f"{ratio.ratio:.3f} ({ratio.low:.3f} to {_large(ratio.high)})"


def _large(value: float) -> str:
    return f"{value:.3f}" if value < 1000 else f"{value:.0e}"


def _spread(value: Spread | None) -> str:
    """How far the extremes are apart, as a share of the median."""
    if value is None:
        return NOTHING
    return percent((value.high - value.low) / value.median if value.median else 0.0)


def _value(value: float | None, objective: str) -> str:
    if value is None:
        return NOTHING
    return format_size(round(value)) if objective == "reuse" else seconds(float(to_seconds(round(value))))


def _bound(bound: float | None, value: float | None, objective: str) -> str:
    """A bound on the makespan is rounded down: it still holds as written.

    ``= value`` where it is that: the two are rounded apart, and would look as if they differed.
    """
    if bound is not None and value is not None and isclose(bound, value):
        return "= value"
    if bound is None or objective == "reuse":
        return _value(bound, objective)
    return bound_seconds(bound / 1000)


def _time(value: float | None) -> str:
    return NOTHING if value is None else seconds(max(0.0, value))


def _plain(grid: Grid, left: int, width: int) -> str:
    return table(grid[0], grid[1], width=width, left=left)


def _by_problem(grid: Grid, width: int) -> str:
    """Each problem's name in full on a line of its own, above its configurations."""
    header, rows = grid
    cells = [(f"  {configuration}", *others) for _, configuration, *others in rows]
    head, *lines = table(("problem", *header[2:]), cells, width=width, left=2).splitlines()
    shown, below = [head], iter(lines)
    for problem, its_rows in groupby(row[0] for row in rows):
        shown += [on_one_line(problem), *(next(below) for _ in its_rows)]
    return "\n".join(shown)


def _marked(grid: Grid, left: int) -> str:
    """A table of Markdown."""
    header, rows = grid
    rule = [":--" if k < left else "--:" for k in range(len(header))]
    return "\n".join(f"| {' | '.join(_cell(c) for c in cells)} |" for cells in (header, rule, *rows))


def _cell(text: str) -> str:
    return on_one_line(text.replace("\\", "\\\\").replace("|", "\\|"))


# -- CSV ---------------------------------------------------------------------------------------------------------------

COLUMNS = (
    "problem", "configuration", "objective", "cells", "status", "value", "value_low", "value_high", "bound", "evidence",
    "gap", "first_s", "best_s", "proof_s", "ratio", "ratio_low", "ratio_high",
)  # fmt: skip
"""Columns of the CSV form; values are bytes or milliseconds."""

TOTAL = "(total)"


def study_csv(study: StudyComparison) -> str:
    """One line per problem and configuration, then one per configuration with ``(total)`` for a problem."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in study.lines:
        value = (None, None, None) if line.value is None else (line.value.median, line.value.low, line.value.high)
        writer.writerow(
            (
                line.instance,
                line.configuration,
                line.objective,
                line.seeds,
                status_words(line.status),
                *value,
                line.bound,
                line.evidence,
                line.gap,
                line.first_s,
                line.best_s,
                line.proof_s,
                *_ratio(line.ratio),
            )
        )
    ratios = {versus.configuration: versus.value for versus in study.versus}
    for total in study.totals:
        writer.writerow(
            (
                TOTAL,
                total.configuration,
                total.objective,
                total.cells,
                status_words(total.status),
                total.value,
                None,
                None,
                total.bound,
                None,
                total.gap,
                total.first_s,
                total.best_s,
                total.proof_s,
                *_ratio(ratios.get(total.configuration)),
            )
        )
    return text.getvalue()


def _ratio(ratio: RatioInterval | None) -> Sequence[float | None]:
    return (None, None, None) if ratio is None else (ratio.ratio, ratio.low, ratio.high)
