"""A graph as SVG, each node in the colour of its state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from actbook.graphs import AGENT_BLOCK_ID, Graph, Link
from actbook.replay._export._layout import HEIGHT, WIDTH, Box, Layout, lay_out
from actbook.replay._export._names import plain_labels

_LONGEST = 23
_MANY = 600
"""Links that are too many to be told apart: then they don't carry the names of their pins."""

_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="arrow" d="M0 0L8 4L0 8z"/></marker></defs>'
)

STYLE = """\
.node rect{fill:#fff;stroke:#b6bdc9;stroke-width:1.5}
.node text{font:600 13px system-ui,sans-serif;fill:#1d2430;text-anchor:middle}
.node .more{font:500 11px system-ui,sans-serif;fill:#5d6778}
.link{fill:none;stroke:#aab2bf;stroke-width:1.5;marker-end:url(#arrow)}
.link.static{stroke-dasharray:2 4}
.link.back{stroke-dasharray:6 4}
.arrow{fill:#aab2bf}
[data-status=QUEUED] rect{fill:#e3f3f8;stroke:#3d93ad}
[data-status=RUNNING] rect{fill:#dbe8ff;stroke:#2f6fde;stroke-width:2.5}
[data-status=COMPLETED] rect{fill:#e2f5e7;stroke:#2f9e55}
[data-status=FAILED] rect{fill:#fde4e2;stroke:#cf3a32;stroke-width:2.5}
[data-status=TERMINATED] rect{fill:#fdf1d7;stroke:#c48a12}
[data-status=REVIEW] rect{fill:#f0e6fb;stroke:#8447c4;stroke-width:2.5}
[data-status=INCOMPLETE] rect{stroke-dasharray:5 4}
@media (prefers-color-scheme:dark){
.node rect{fill:#20262f;stroke:#515c6c}
.node text{fill:#e8ecf2}
.node .more{fill:#9aa5b5}
.link{stroke:#566173}
.arrow{fill:#566173}
[data-status=QUEUED] rect{fill:#143540;stroke:#4fb0cc}
[data-status=RUNNING] rect{fill:#16315f;stroke:#6ea1ff}
[data-status=COMPLETED] rect{fill:#153a22;stroke:#4cc07a}
[data-status=FAILED] rect{fill:#4c1d1b;stroke:#ff7b72}
[data-status=TERMINATED] rect{fill:#423310;stroke:#e0ac3f}
[data-status=REVIEW] rect{fill:#38224f;stroke:#b98af0}
}
"""


def svg(
    graph: Graph, statuses: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None
) -> str:
    """A picture of its own, light or dark like its surroundings. `statuses`, `labels`: by node id."""
    return drawing(graph, statuses or {}, labels or plain_labels(graph), f"<style>{STYLE}</style>")


def drawing(graph: Graph, statuses: Mapping[str, str], labels: Mapping[str, str], style: str = "") -> str:
    """The `svg` element; each node is a group with `data-node`, the number of the node in the graph."""
    layout = lay_out(
        [node.id for node in graph.nodes], [(link.source_id, link.sink_id) for link in graph.links]
    )
    title = escape(_legal(graph.name or graph.id))
    size = f'viewBox="0 0 {layout.width:.0f} {layout.height:.0f}"'
    size += f' width="{layout.width:.0f}" height="{layout.height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}">'
    parts = [f"{head}{style}<title>{title}</title>{_ARROW}"]
    parts += _links(graph, layout)
    agents = {node.id for node in graph.nodes if node.block_id == AGENT_BLOCK_ID}
    for number, node in enumerate(graph.nodes):
        box = layout.boxes[node.id]
        parts.append(
            _node(number, box, labels.get(node.id, node.id), statuses.get(node.id), node.id in agents)
        )
    return "".join((*parts, "</svg>\n"))


def _links(graph: Graph, layout: Layout) -> Iterator[str]:
    pairs: dict[tuple[str, str], list[Link]] = {}
    for link in graph.links:
        if link.source_id in layout.boxes and link.sink_id in layout.boxes:
            pairs.setdefault((link.source_id, link.sink_id), []).append(link)
    for (source, sink), links in pairs.items():
        back = source == sink or (source, sink) in layout.against
        kind = "link back" if back else "link static" if all(link.is_static for link in links) else "link"
        path = (_around if back else _down)(layout.boxes[source], layout.boxes[sink])
        pins = "" if len(pairs) > _MANY else f"<title>{_pins(links)}</title>"
        yield f'<path class="{kind}" d="{path}">{pins}</path>'


def _pins(links: list[Link]) -> str:
    return escape(_legal(", ".join(f"{link.source_name} → {link.sink_name}" for link in links)))


def _down(source: Box, sink: Box) -> str:
    x1, y1, x2, y2 = source.x + WIDTH / 2, source.y + HEIGHT, sink.x + WIDTH / 2, sink.y - 2
    bend = max(24.0, (y2 - y1) / 2)
    return f"M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}"


def _around(source: Box, sink: Box) -> str:
    """Along the right side, up against the flow."""
    x1, y1 = source.x + WIDTH, source.y + HEIGHT * 0.7
    x2, y2 = sink.x + WIDTH + 2, sink.y + HEIGHT * 0.3
    far = max(x1, x2) + 22
    return f"M{x1:.0f} {y1:.0f}C{far:.0f} {y1:.0f} {far:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"


def _node(number: int, box: Box, label: str, status: str | None, agent: bool) -> str:
    text = _legal(" ".join(label.split()))
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    state = f' data-status="{status}"' if status else ""
    inner = (
        f'<rect x="4" y="4" width="{WIDTH - 8}" height="{HEIGHT - 8}" rx="6" fill="none"/>' if agent else ""
    )
    return (
        f'<g class="node" data-node="{number}"{state} transform="translate({box.x:.0f} {box.y:.0f})">'
        f"{'' if shown == text else f'<title>{escape(text)}</title>'}"
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10"/>{inner}'
        f'<text x="{WIDTH / 2:.0f}" y="22">{escape(shown)}</text>'
        f'<text class="more" x="{WIDTH / 2:.0f}" y="38">{escape((status or "").lower())}</text></g>'
    )


def _legal(text: str) -> str:
    """Without characters that XML has no place for."""
    return "".join(
        letter if letter in "\t\n\r" or " " <= letter < "\ud800" or letter > "\udfff" else "�"
        for letter in text
    )
