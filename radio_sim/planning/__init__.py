"""Where gateways should stand: covering problems, exact and greedy solvers, and the expected month as the objective."""

from radio_sim.planning.connectivity import ExpectedConnectivity, of_gateways
from radio_sim.planning.coverage import CoverageProblem
from radio_sim.planning.exact import coverage_curve, solve_exact
from radio_sim.planning.greedy import solve_greedy
from radio_sim.planning.plan import Change, SiteGain, SitePlan, change
from radio_sim.planning.search import best_sets, sets_to_try

__all__ = [
    "Change",
    "CoverageProblem",
    "ExpectedConnectivity",
    "SiteGain",
    "SitePlan",
    "best_sets",
    "change",
    "coverage_curve",
    "of_gateways",
    "sets_to_try",
    "solve_exact",
    "solve_greedy",
]
