"""What is in a frame, field by field: name, place, raw bits, value, meaning and clause.

Pure: bytes and keys in, data out.
"""

from bench.explain.beacon import explain_beacon
from bench.explain.field import Explanation, Field
from bench.explain.frame import explain
from bench.explain.known import Known

__all__ = ["Explanation", "Field", "Known", "explain", "explain_beacon"]
