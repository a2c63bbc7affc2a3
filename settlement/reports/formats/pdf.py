"""A report as PDF: what it is about, its charts, its tables, page numbers; no clock and no machine in it."""

from __future__ import annotations

import io
from calendar import timegm
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from settlement.reports.formats.cells import pretty, shown
from settlement.reports.model import Chart, Column, Kind, Report, Table

_CHINESE = "STSong-Light"
_FIGURE = Column("figure", "Figure", Kind.MONEY)
_MARGIN = 36
_BAR_POINTS = 14
_BARS_MAX = 40
"""A chart with more bars than a page holds would tell nothing; those with the largest figures stand first."""


def render(report: Report) -> bytes:
    """The document's bytes: landscape A4, the instant in it the report's own."""
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.platypus import SimpleDocTemplate, Spacer

    _register_fonts()
    stream = io.BytesIO()
    document = SimpleDocTemplate(
        stream, pagesize=landscape(A4), leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN,
        bottomMargin=_MARGIN, title=report.title, invariant=1,
    )  # fmt: skip
    story: list[Any] = [_text(report.title, 16), Spacer(1, 6)]
    story += [_text(f"{title}: {value}", 8) for _, title, value in report.about]
    story += [_text(note, 8) for note in report.notes]
    for chart in report.charts:
        story += [Spacer(1, 12), _drawing(chart)]
    for table in report.tables:
        story += [Spacer(1, 12), _text(table.title, 11), Spacer(1, 4), _table(table, document.width)]
    document.build(story, canvasmaker=_canvas_at(report.as_of), onFirstPage=_footer, onLaterPages=_footer)
    return stream.getvalue()


def _register_fonts() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    if _CHINESE not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(_CHINESE))


def _canvas_at(moment: datetime) -> Any:
    """Canvases that say they were made at a moment: the library itself knows only a fixed one, or now."""
    from reportlab.pdfgen.canvas import Canvas

    class CanvasAt(Canvas):  # type: ignore[misc]  # without type information
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            stamp = self._doc._timeStamp  # noqa: SLF001 - no public way to date a document
            stamp.t = timegm(moment.utctimetuple())
            stamp.lt = moment.utctimetuple()
            stamp.YMDhms = tuple(stamp.lt)[:6]

    return CanvasAt


def _footer(canvas: Any, document: Any) -> None:
    canvas.setFont("Helvetica", 7)
    canvas.drawRightString(document.pagesize[0] - _MARGIN, _MARGIN / 2, f"page {document.page}")


def _font(text: str) -> str:
    """The standard font, and a Chinese one for what that does not have."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return _CHINESE
    return "Helvetica"


def _text(text: str, size: int, alignment: int = 0) -> Any:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle("text", fontName=_font(text), fontSize=size, leading=size * 1.3, alignment=alignment)
    return Paragraph(escape(text), style)


def _table(table: Table, width: float) -> Any:
    from reportlab.lib import colors
    from reportlab.platypus import Table as Grid

    size = 7 if len(table.columns) > 8 else 8  # noqa: PLR2004 - columns that fit at the larger size
    right = [2 if column.kind not in {Kind.TEXT, Kind.DAY} else 0 for column in table.columns]
    cells = [[_text(column.title, size, side) for column, side in zip(table.columns, right, strict=True)]]
    cells += [[_text(cell, size, side) for cell, side in zip(row, right, strict=True)] for row in shown(table)]
    grid = Grid(cells, colWidths=[width / len(table.columns)] * len(table.columns), repeatRows=1)
    grid.setStyle(
        [
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
            ("LINEBELOW", (0, 1), (-1, -1), 0.2, colors.lightgrey),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ]
    )
    return grid


def _drawing(chart: Chart) -> Any:
    """Bars to the right for who receives and to the left for who pays."""
    from reportlab.graphics.shapes import Drawing, Line, Rect, String
    from reportlab.lib import colors

    bars = chart.bars[:_BARS_MAX] if len(chart.bars) <= _BARS_MAX else _largest(chart)
    width, middle, reach = 740, 400, 280
    height = _BAR_POINTS * len(bars) + 30
    drawing = Drawing(width, height)
    drawing.add(String(0, height - 12, chart.title, fontName=_font(chart.title), fontSize=10))
    top = max([bar.receives + bar.pays for bar in bars], default=0) or 1
    for place, bar in enumerate(bars):
        below = height - 30 - _BAR_POINTS * (place + 1)
        length = (bar.receives + bar.pays) * reach // top
        colour = colors.HexColor("#2E7D32" if bar.receives else "#C62828")
        drawing.add(Rect(middle if bar.receives else middle - length, below + 2, length, _BAR_POINTS - 4,
                         fillColor=colour, strokeColor=None))  # fmt: skip
        drawing.add(String(0, below + 4, bar.label, fontName=_font(bar.label), fontSize=8))
        figure = pretty(bar.receives + bar.pays, _FIGURE, chart.currency)
        drawing.add(String(middle - reach - 10, below + 4, figure, fontName="Helvetica", fontSize=7, textAnchor="end"))
    drawing.add(Line(middle, 0, middle, height - 26, strokeColor=colors.grey, strokeWidth=0.5))
    return drawing


def _largest(chart: Chart) -> Sequence[Any]:
    kept = sorted(chart.bars, key=lambda bar: -(bar.receives + bar.pays))[:_BARS_MAX]
    return [bar for bar in chart.bars if bar in kept]
