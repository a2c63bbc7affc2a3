"""What is read of callgrind's list of instructions."""

from __future__ import annotations

from bench.counting import read_counts

_LIST = """
--------------------------------------------------------------------------------
Ir
--------------------------------------------------------------------------------
1,062,054,000 (100.0%)  PROGRAM TOTALS

  298,350,592 (28.09%)  made/__native_1.c:CPyPy_decision___Decision___decide_all [/made/1__mypyc.so]
  298,349,152 (28.09%)  made/__native_1.c:CPyDef_decision___Decision___decide_all [/made/1__mypyc.so]
      840,069 ( 0.08%)  /include/object.h:CPyDef_decision___Decision___decide_all
   12,712,000 ( 1.20%)  made/__native_1.c:CPyDef_message_bytes___write_varint'2 [/made/1__mypyc.so]
   77,594,277 ( 7.31%)  Python/ceval.c:_PyEval_EvalFrameDefault [/lib/libpython3.11.so.1.0]
"""


def test_compiled_functions_are_counted_with_those_they_call() -> None:
    """The largest figure of each, whatever file its lines come from, and what all of it took."""
    assert read_counts(_LIST) == {
        "all": 1_062_054_000,
        "decision.Decision.decide_all": 298_349_152,
        "message_bytes.write_varint": 12_712_000,
    }
