"""Choose among cosmic-ray's mutants before a run, and say afterwards which survived.

`mutants.py skip SESSION` leaves out what cannot tell anything: mutants of annotations, which nothing evaluates, and of
each arithmetic or comparing operator all replacements but one or two. `mutants.py report SESSION` prints the survivors,
and exits with 1 where there are any that tests/mutation/survivors.txt does not excuse. Run in the tree that is mutated,
by the Python that has cosmic-ray.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult

KEPT = re.compile(
    r"core/(?:ReplaceBinaryOperator_(?:Add_Sub|Sub_Add|Mul_Add|Div_Mul|FloorDiv_Mul|Mod_FloorDiv|Pow_Mul|LShift_RShift"
    r"|RShift_LShift|BitOr_BitAnd|BitAnd_BitOr|BitXor_BitAnd)"
    r"|ReplaceComparisonOperator_(?:Eq_NotEq|NotEq_Eq|Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt|Is_IsNot"
    r"|IsNot_Is|In_NotIn|NotIn_In)"
    r"|ReplaceUnaryOperator_Delete_.*|(?!Replace(?:Binary|Comparison|Unary)Operator).*)"
)
EXCUSED = Path(__file__).with_name("survivors.txt")


@cache
def _unevaluated(path: Path) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    """Where annotations and type aliases stand: (line, column) of start and end."""
    spans = []
    for node in ast.walk(ast.parse(path.read_text())):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
            parts.append(node.value)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            parts.append(node.test)
        spans += [((p.lineno, p.col_offset), (p.end_lineno, p.end_col_offset)) for p in parts if p is not None]
    return tuple(spans)


def _tells(mutation: MutationSpec) -> bool:
    if not KEPT.fullmatch(mutation.operator_name):
        return False
    start = tuple(mutation.start_pos)
    return not any(first <= start < last for first, last in _unevaluated(Path(mutation.module_path)))


def skip(session: str) -> None:
    """Mark what is left out, and say how many are left."""
    with use_db(session, WorkDB.Mode.open) as db:
        items = list(db.pending_work_items)
        left_out = [item for item in items if not all(_tells(mutation) for mutation in item.mutations)]
        for item in left_out:
            db.set_result(item.job_id, WorkResult(worker_outcome=WorkerOutcome.SKIPPED, output="tells nothing"))
    print(f"{len(items)} mutants, {len(items) - len(left_out)} to run")


def _place(item: WorkItem) -> tuple[str, tuple[int, int]]:
    return str(item.mutations[0].module_path), item.mutations[0].start_pos


def report(session: str) -> int:
    """Print counts a module and each survivor; the number of survivors that are not excused."""
    excused = {line for line in EXCUSED.read_text().splitlines() if line and not line.startswith("#")}
    killed: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    unknown = 0
    with use_db(session, WorkDB.Mode.open) as db:
        outcomes = dict(db.results)
        for item in sorted(
            db.work_items, key=lambda each: (each.mutations[0].module_path, each.mutations[0].start_pos)
        ):
            result = outcomes.get(item.job_id)
            if result is None or result.worker_outcome == WorkerOutcome.SKIPPED:
                continue
            mutation = item.mutations[0]
            path = str(mutation.module_path)
            if result.test_outcome != TestOutcome.SURVIVED:
                killed[path] += 1
                continue
            survived[path] += 1
            row, column = mutation.start_pos
            line = Path(path).read_text().splitlines()[row - 1]
            name = f"{path} {mutation.operator_name.removeprefix('core/')} at {column}: {line.strip()}"
            unknown += name not in excused
            verdict = "excused " if name in excused else "SURVIVED"
            print(f"{verdict} line {row:4}: {name}")
    for path in sorted(killed | survived):
        print(f"{path:32}{killed[path]:5} killed {survived[path]:4} survived")
    print(f"{'all':32}{killed.total():5} killed {survived.total():4} survived, {unknown} of them not excused")
    return 1 if unknown else 0


if __name__ == "__main__":
    command, database = sys.argv[1:]
    sys.exit(report(database) if command == "report" else skip(database))
