"""Exact covering by mixed-integer programming (HiGHS through SciPy), with the proof that nothing is better.

x_j: site j is built; y_p: point p is covered; maximise Σ w_p·y_p under need_p·y_p ≤ Σ_{j covers p} x_j and the number
or budget. Fixed sites are taken out beforehand (need_p = r − those that cover p) and points of one pattern are one y.

Sources: R. Church, C. ReVelle, "The maximal covering location problem", Papers of the Regional Science Association 32
(1974) 101–118; Q. Huangfu, J. A. J. Hall, "Parallelizing the dual revised simplex method", Math. Prog. Comp. 10 (2018).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from radio_sim.planning.coverage import CoverageProblem
from radio_sim.planning.greedy import solve_greedy
from radio_sim.planning.plan import SitePlan

_TIME_LIMIT_REACHED = 1  # scipy.optimize.milp, result status
_SCALE = 1e4  # of the objective: HiGHS stops at an absolute gap of 1e-6, so at 1e-10 of the weight
_ROUNDING = 1e-9


def solve_exact(problem: CoverageProblem, *, time_limit_s: float = 60.0) -> SitePlan:
    """The best plan, proved. Where time runs out: the better of the best found and the greedy one, with the bound."""
    small = problem.merged()
    total = float(small.weights.sum())
    base = small.counts(small.fixed)
    free = list(small.free)
    need = small.redundancy - base
    offered = small.covers[:, free].sum(axis=1)
    open_points = np.flatnonzero((need > 0) & (offered >= need) & (small.weights > 0))
    settled = small.value(small.fixed)
    if not free or not open_points.size:
        return problem.plan("milp", free[: problem.choose or 0], settled, 1.0)
    n_x, n_y = len(free), open_points.size
    offers = sparse.csr_array(small.covers[open_points][:, free].astype(float))
    covering = sparse.hstack([-offers, sparse.diags_array(need[open_points].astype(np.float64))])
    limit = np.concatenate([np.ones(n_x) if small.budget is None else small.costs[free], np.zeros(n_y)])
    most = float(small.choose if small.choose is not None else small.budget or 0.0)
    # A fraction of y pays only where one site is enough to make it whole, so those need no integrality.
    whole = np.concatenate([np.ones(n_x), (need[open_points] > 1).astype(float)])
    found = milp(
        np.concatenate([np.zeros(n_x), -small.weights[open_points] * (_SCALE / total)]),
        integrality=whole,
        bounds=Bounds(0.0, 1.0),
        constraints=[
            LinearConstraint(covering, -np.inf, 0.0),
            LinearConstraint(limit[None, :], -np.inf if small.choose is None else most, most),
        ],
        options={"mip_rel_gap": 0.0, "time_limit": time_limit_s},
    )
    if not found.success and found.status != _TIME_LIMIT_REACHED:
        raise ValueError(f"the solver found no plan: {found.message}")
    plans = [] if found.success else [solve_greedy(problem).added]
    if found.x is not None:
        plans.append(tuple(site for site, built in zip(free, found.x[:n_x], strict=True) if built > 0.5))
    added = max(plans, key=lambda sites: small.value((*small.fixed, *sites)))
    bound = total if found.mip_dual_bound is None else settled - float(found.mip_dual_bound) * total / _SCALE
    value = small.value((*small.fixed, *added))
    return problem.plan("milp", added, value if bound - value <= _ROUNDING * total else bound, 1.0)


def coverage_curve(problem: CoverageProblem, *, share: float = 1.0, time_limit_s: float = 60.0) -> tuple[SitePlan, ...]:
    """The best plans with 0, 1, 2 … sites beside the fixed ones, until this share of the weight is covered.

    It ends as well where further sites add nothing, or with `choose` sites where the problem names a number. The last
    plan has the fewest sites that reach the share, for the one before it is proved not to.
    """
    target = share * float(problem.weights.sum())
    most = len(problem.free) if problem.choose is None else problem.choose
    everything = problem.value(range(problem.n_sites))
    plans: list[SitePlan] = []
    for number in range(most + 1):
        plans.append(solve_exact(replace(problem, choose=number, budget=None), time_limit_s=time_limit_s))
        if plans[-1].value >= min(target, everything):
            break
    return tuple(plans)
