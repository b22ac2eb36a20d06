"""Horizontal bars as inline SVG. Axes start at zero; colours come from the page's style sheet."""

import html
import math
import statistics

WIDTH, LABELS, VALUES = 360, 98, 64  # of the drawing, the names at its left, the room for numbers at its right
ROW, BAR, TICKS = 19, 13, 18
LONGEST = 4  # times the panel's median: a longer bar ends in an arrow, so that it does not flatten the others


def nice_step(top, count=4):
    """A round distance of ticks (1, 2 or 5 times a power of ten) so that about `count` fit."""
    power = 10.0 ** math.floor(math.log10(top / count))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if top / step <= count)


def number(value):
    """Three significant digits, without an exponent."""
    if value == 0:
        return "0"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def text(x, y, content, css="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">{html.escape(content)}</text>'


def bars(title, rows, unit, mark=None):
    """rows: (label, [(value, css class), ...] drawn end to end, or None, and a note that replaces the number).

    `mark` draws a vertical line at a value.
    """
    sums = [sum(v for v, _ in parts) if parts else None for _, parts, _ in rows]
    known = [s for s in sums if s is not None]
    if not any(known):
        return ""
    top = max(min(max(known), LONGEST * statistics.median(known)), mark or 0)
    scale, bottom = (WIDTH - LABELS - VALUES) / top, len(rows) * ROW
    drawn = [f'<svg viewBox="0 0 {WIDTH} {bottom + TICKS}" role="img" aria-label="{html.escape(title)}">']
    step = nice_step(top)
    for i in range(math.floor(top / step + 1e-9) + 1):
        x = LABELS + i * step * scale
        drawn.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}" class="grid"/>')
        drawn.append(text(x, bottom + 13, f"{i * step:g}", "tick", "middle"))
    if mark:
        x = LABELS + mark * scale
        drawn.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}" class="mark"/>')
    drawn.append(text(WIDTH, bottom + 13, unit, "tick", "end"))
    for i, ((label, parts, note), total) in enumerate(zip(rows, sums)):
        y, x = i * ROW + (ROW - BAR) / 2, LABELS
        drawn.append(text(LABELS - 6, y + 10.5, label, "label", "end"))
        for value, css in parts or ():
            width = min(value * scale, WIDTH - VALUES - x)
            drawn.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{BAR}" class="{css}"/>')
            x += width
        if total is not None and total > top * 1.001:
            css = parts[-1][1]
            drawn.append(f'<path d="M{x + 2:.1f} {y:.1f}l6 {BAR / 2}l-6 {BAR / 2}z" class="{css}"/>')
            x += 8
        drawn.append(text(x + 5, y + 10.5, note or number(total), "value" if total is not None else "missing"))
    return "".join(drawn) + "</svg>"


def panel(title, rows, unit, mark=None, note=""):
    drawing = bars(title, rows, unit, mark)
    return f"<figure><figcaption>{html.escape(title)} <small>{html.escape(note)}</small></figcaption>{drawing}</figure>"
