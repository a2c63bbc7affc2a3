"""YAML from people's files, with a bound on what aliases may repeat.

`*name` stands for all that `&name` marks. A few lines of aliases of aliases come to more values than any machine holds,
and a value may even be marked as a part of itself: both read well as YAML, and are refused where they stand.
"""

from __future__ import annotations

import yaml

REPEATED_MAX = 100_000
"""Values a file's aliases may stand for, all together: more than anybody repeats, and built within a second."""


class TooMuchRepeated(yaml.MarkedYAMLError):
    """An alias that stands for more than may be repeated; `problem` says what, `line` where, counted from 1."""

    def __init__(self, problem: str, alias: yaml.AliasEvent) -> None:
        mark = alias.start_mark
        assert isinstance(mark, yaml.Mark)
        super().__init__(None, None, problem, mark)
        self.line = mark.line + 1


class BoundedLoader(yaml.SafeLoader):
    """Plain values only, as SafeLoader; raises TooMuchRepeated before anything of it is built."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._values: dict[int, int] = {}
        self._repeated = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node, counted with all that aliases in it stand for: nodes themselves are shared, not copied."""
        alias = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs say nothing of it
        node = super().compose_node(parent, index)
        assert node is not None
        if not isinstance(alias, yaml.AliasEvent):
            self._values[id(node)] = 1 + sum(self._values[id(part)] for part in _parts(node))
            return node
        if id(node) not in self._values:
            raise TooMuchRepeated(f"*{alias.anchor} stands in what it stands for", alias)
        self._repeated += self._values[id(node)]
        if self._repeated > REPEATED_MAX:
            what = f"with *{alias.anchor} aliases stand for more than {REPEATED_MAX:,} values"
            raise TooMuchRepeated(what, alias)
        return node


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
