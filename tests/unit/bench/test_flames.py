"""Flame graphs: every look is counted once, and a frame is as wide as its share."""

import re
from xml.etree import ElementTree as ET

from bench.flame_chart import flames, svg
from bench.flames import parsed

LOOKS = """\
<module> (run.py:1);serve (exchange/__main__.py:9);loop (uvloop/loop.pyx:3);post (exchange/ledger/poster.py:10) 30
<module> (run.py:1);serve (exchange/__main__.py:9);loop (uvloop/loop.pyx:3);post (exchange/ledger/poster.py:12) 20
<module> (run.py:1);serve (exchange/__main__.py:9);loop (uvloop/loop.pyx:5);malloc (libc.so.6) 50
Thread._bootstrap (threading.py:5);poll (grpc.so) 900
"""


def test_only_the_main_thread_is_counted_and_lines_of_one_function_are_one() -> None:
    """Threads of gRPC wait most of the time: waiting is not where time goes."""
    stacks = parsed(LOOKS)

    assert sum(stacks.values()) == 100
    assert stacks[("serve (exchange/__main__.py)", "loop (uvloop/loop.pyx)", "post (exchange/ledger/poster.py)")] == 50


def test_frames_that_everything_stands_on_are_left_out() -> None:
    """The tree begins where it branches, and its parts come to the whole."""
    root = flames(parsed(LOOKS))

    assert root.name == "loop (uvloop/loop.pyx)"
    assert sum(flame.count for flame in root.within.values()) == root.count == 100


def test_a_frame_is_as_wide_as_its_share_and_names_are_escaped() -> None:
    """Also names like "<module>", which would break the document."""
    drawing = svg("One & all", flames({("a", "<b>"): 3, ("a", "c"): 1}))

    tree = ET.fromstring(drawing)
    titles = [element.text or "" for element in tree.iter() if element.tag.endswith("title")]
    widths = [float(width) for width in re.findall(r'<rect x="[^"]+" y="[^"]+" width="([^"]+)"', drawing)]
    assert titles == ["a: 100.0%", "<b>: 75.0%", "c: 25.0%"]
    assert widths[1:] == [widths[0] * 0.75, widths[0] * 0.25]


def test_what_is_too_narrow_to_see_is_not_drawn() -> None:
    """One look in a thousand would only make the file larger."""
    drawing = svg("Narrow", flames({("a", "b"): 999, ("a", "c"): 1}))

    assert ">b" in drawing
    assert "c: 0.1%" not in drawing


def test_a_library_without_symbols_is_one_frame() -> None:
    """Addresses tell nobody anything, and differ from run to run."""
    place = "(grpc/_cython/cygrpc.cpython-311.so)"
    stacks = parsed(f"serve (exchange/__main__.py:9);0x7f01 {place};0x7f02 {place};send (socket.c) 4\n")

    assert stacks == {("serve (exchange/__main__.py)", "(cygrpc)", "send (socket.c)"): 4}
