# SPDX-License-Identifier: Apache-2.0
"""plot.py CSV SVG: what growth_bench --csv wrote, as a plot (both axes logarithmic) and, to
standard output, as a table in Markdown: a row for each operation, a column for each size."""
import csv
import math
import sys

# What is drawn: ours, or its floor, which is dashed; and how it is called there.
OURS, FLOOR = 1, 0
LINES = (
    ("settle a payment", OURS, "settle one", "#b03a2e"),
    ("settle a payment", FLOOR, "one durable page", "#b03a2e"),
    ("authorise a top-up", OURS, "authorise one", "#d68910"),
    ("authorise 256 top-ups at once, each", OURS, "authorise 256 at once, each", "#b7950b"),
    ("settle 256 payments at once, each", OURS, "settle 256 at once, each", "#1e8449"),
    ("settle 256 payments at once, each", FLOOR, "their signatures, and a page", "#1e8449"),
    ("prove inclusion", OURS, "prove inclusion", "#2874a6"),
    ("prove consistency", OURS, "prove consistency", "#6c3483"),
    ("verify inclusion", OURS, "verify inclusion", "#717d7e"),
    ("audit, 2 threads", OURS, "audit, 2 threads, each record", "#17202a"),
    ("audit, 2 threads", FLOOR, "bare signatures, 2 threads", "#17202a"),
    ("export, each record", OURS, "export, each record", "#ca6f1e"),
)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 480, 70, 230, 20, 50


def power(number):
    """10^6, 3·10^6: a size in words."""
    exponent = int(math.floor(math.log10(number) + 1e-9))
    factor = number / 10 ** exponent
    return f"10^{exponent}" if factor == 1 else f"{factor:g}·10^{exponent}"


def short(number):
    if abs(number) < 0.1:
        return "0"
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"


class Figures:
    def __init__(self, path):
        self.rows = {}  # (what, unit): {records: (floor, ours)}
        with open(path, newline="", encoding="ascii") as file:
            for row in csv.DictReader(file):
                numbers = tuple(float(row[key]) for key in ("floor", "ours"))
                self.rows.setdefault((row["what"], row["unit"]), {})[int(row["records"])] = numbers
        self.sizes = sorted({size for sizes in self.rows.values() for size in sizes})

    def table(self):
        """Ours, and the floor in parentheses."""
        lines = ["| | " + " | ".join(map(power, self.sizes)) + " |",
                 "| --- |" + " --- |" * len(self.sizes)]
        for (name, unit), numbers in self.rows.items():
            cells = [self.cell(*numbers[size]) if size in numbers else ""
                     for size in self.sizes]
            lines.append("| " + " | ".join([f"{name}, {unit}", *cells]) + " |")
        return "\n".join(lines)

    @staticmethod
    def cell(floor, ours):
        return f"{short(ours)} ({short(floor)})" if floor else short(ours)


class Plot:
    def __init__(self, figures):
        self.drawn = []
        for what, side, label, colour in LINES:
            numbers = figures.rows.get((what, "us"), {})
            points = sorted((size, both[side]) for size, both in numbers.items())
            if points:
                dashes = ' stroke-dasharray="4 4"' if side == FLOOR else ""
                self.drawn.append((label, f'"{colour}"', dashes, points))
        values = [value for *_, points in self.drawn for _, value in points]
        self.x = (math.log10(figures.sizes[0]), math.log10(figures.sizes[-1]))
        self.y = (max(math.floor(math.log10(min(values))), 0), math.ceil(math.log10(max(values))))

    def place(self, size, value):
        def share(number, ends):
            return (math.log10(number) - ends[0]) / max(ends[1] - ends[0], 1e-9)
        x = LEFT + share(size, self.x) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - share(value, self.y) * (HEIGHT - TOP - BOTTOM)
        return round(x, 1), round(y, 1)

    def grid(self):
        for exponent in range(self.y[0], self.y[1] + 1):
            x, y = self.place(10 ** self.x[0], 10 ** exponent)
            yield f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>'
            unit = ("µs", "ms", "s")[min(exponent // 3, 2)]
            name = f"{10 ** (exponent - 3 * min(exponent // 3, 2))} {unit}"
            yield f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{name}</text>'
        for exponent in range(math.ceil(self.x[0] - 1e-9), math.floor(self.x[1] + 1e-9) + 1):
            x, y = self.place(10 ** exponent, 10 ** self.y[0])
            yield f'<path d="M{x} {y}V{TOP}" stroke="#ddd"/>'
            yield (f'<text x="{x}" y="{y + 18}" text-anchor="middle">10'
                   f'<tspan dy="-5" font-size="9">{exponent}</tspan></text>')
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield (f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">'
               'records in the store</text>')

    def labels(self):
        """Beside the last point of each line, none upon another."""
        ends = sorted((self.place(*points[-1])[1], label, colour)
                      for label, colour, _, points in self.drawn)
        lowest = 0
        for y, label, colour in ends:
            lowest = max(y + 4, lowest + 15)
            yield f'<text x="{WIDTH - RIGHT + 12}" y="{lowest}" fill={colour}>{label}</text>'

    def svg(self):
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                 'font-family="sans-serif" font-size="12">',
                 "<title>Cost of an operation by the number of records</title>",
                 f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *self.grid()]
        for _, colour, dashes, points in self.drawn:
            places = [self.place(*point) for point in points]
            line = " ".join(f"{x},{y}" for x, y in places)
            parts.append(f'<polyline points="{line}" fill="none" stroke={colour} '
                         f'stroke-width="2"{dashes}/>')
            if not dashes:
                parts += [f'<circle cx="{x}" cy="{y}" r="3" fill={colour}/>' for x, y in places]
        return "\n".join([*parts, *self.labels(), "</svg>", ""])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    figures = Figures(sys.argv[1])
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(Plot(figures).svg())
    print(figures.table())


if __name__ == "__main__":
    main()
