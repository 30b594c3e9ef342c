"""Whether the trace of a run keeps the rules that every run must keep."""

from scenarios.checks.trace_checks import (
    CheckResult,
    check_accepted_payloads,
    check_conservation,
    check_counters,
    check_duty_cycle,
    run_all,
)

__all__ = [
    "CheckResult",
    "check_accepted_payloads",
    "check_conservation",
    "check_counters",
    "check_duty_cycle",
    "run_all",
]
