"""A reader of YAML that gives up: a node costs 60 us, and of brackets within brackets each more than the one before."""

from typing import Any

from ruamel.yaml.composer import Composer


class BoundedComposer(Composer):
    """Composes no more nodes, and no deeper, than its subclass allows.

    Attributes:
        depth_max: Lists and mappings inside each other, with what is in the innermost.
        nodes_max: Keys and values as written.
    """

    depth_max: int
    nodes_max: int
    n_levels = n_nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.n_levels += 1
        self.n_nodes += 1
        if self.n_levels > self.depth_max or self.n_nodes > self.nodes_max:
            raise self.too_much()
        try:
            return super().compose_node(parent, index)
        finally:
            self.n_levels -= 1

    def too_much(self) -> Exception:
        """What is raised; `n_levels` and `n_nodes` say which of the two is too many."""
        raise NotImplementedError  # each reader says it of its own kind of file
