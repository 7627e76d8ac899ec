"""The trade between memory, workers and time as a table."""

from __future__ import annotations

from catalytic.solver.units import format_size

from ..trade import Trade, TradeRow
from .table import table
from .words import bound_factor, bound_seconds, factor, seconds


def trade_table(trade: Trade, *, width: int) -> str:
    """One row per value, in the order asked; below it the reason of every row without a plan."""
    # Padded here and flush right there: a verdict is not a name, and must never be cut.
    longest = max(len("status"), *(len(row.status) for row in trade.rows))
    header = (trade.variable, "status".ljust(longest), "footprint", "reuse factor", "at most", "makespan", "at least")
    text = table(header, [_row(row, longest) for row in trade.rows], width=width)
    reasons = [f"{row.label}: {row.reason}" for row in trade.rows if row.summary is None and row.reason]
    return "\n".join([text, *reasons])


def _row(row: TradeRow, longest: int) -> tuple[str, ...]:
    plan = row.summary
    if plan is None:
        return (row.label, row.status.ljust(longest), "-", "-", "-", "-", "-")
    return (
        row.label,
        row.status.ljust(longest),
        format_size(plan.footprint),
        factor(plan.reuse_factor),
        bound_factor(plan.largest_reuse_factor),
        seconds(plan.makespan_s),
        bound_seconds(plan.least_makespan_s),
    )
