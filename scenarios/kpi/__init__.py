"""The key figures of the convention: from trace columns to verdicts."""

from scenarios.kpi.heard import HeardMatrix, heard_matrix
from scenarios.kpi.interval import Estimate, wilson
from scenarios.kpi.verdict import ClauseResult, Verdict, evaluate

__all__ = [
    "ClauseResult",
    "Estimate",
    "HeardMatrix",
    "Verdict",
    "evaluate",
    "heard_matrix",
    "wilson",
]
