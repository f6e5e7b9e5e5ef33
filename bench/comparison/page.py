# SPDX-License-Identifier: Apache-2.0
"""Writes what was measured into docs/benchmarks.md, between two marks, and plots."""

import os
import re
import statistics

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "vrelo"  # the same figures give the same file
from matplotlib import pyplot  # noqa: E402

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def number_text(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def median_ratio(values, others):
    """The median of the ratios in each round: what slows a machine down slows both."""
    ratios = [a / b for a, b in zip(values, others) if b]
    return statistics.median(ratios) if ratios else None


def table(rows, results):
    """`results`: by row, by server, by figure, the values of the rounds."""
    lines = [
        "| row | workload | figure | limit | vrelo | nchan | vrelo ÷ limit | nchan ÷ limit | to reach | |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        measured = results.get(row.name)
        if not measured:
            continue
        for number, figure in enumerate(measured["vrelo"]):
            by_server = {name: figures[figure] for name, figures in measured.items() if figure in figures}
            medians = {name: statistics.median(values) for name, values in by_server.items()}
            limit = by_server.get("limit")
            ratio = {
                name: median_ratio(values, limit) if limit else None for name, values in by_server.items()
            }
            goal = row.goals.get(figure)
            verdict = ""
            if goal:
                verdict = "reached" if goal[1](medians["vrelo"], ratio["vrelo"]) else "**missed**"
            lines.append(
                f"| {'' if number else row.name} | {'' if number else row.about} | {figure} | "
                + " | ".join(number_text(medians.get(name)) for name in ("limit", "vrelo", "nchan"))
                + f" | {number_text(ratio['vrelo'])} | {number_text(ratio.get('nchan'))}"
                + f" | {goal[0] if goal else ''} | {verdict} |"
            )
    return "\n".join(lines)


def plot(path, title, unit, curves, over="readers"):
    """`curves`: by name, pairs of a number of what it goes over and a value."""
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, points in curves.items():
        axes.plot(*zip(*points), marker="o" if len(points) < 20 else None, label=name)
    axes.set(xlabel=over, ylabel=unit, title=title)
    if over != "minutes":
        axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.grid(True, alpha=0.3)
    axes.legend()
    figure.tight_layout()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def bars(path, title, names, curves):
    """`curves`: by server, a value for each of `names`."""
    figure, axes = pyplot.subplots(figsize=(7, 4))
    width = 0.8 / max(1, len(curves))
    for number, (server, values) in enumerate(curves.items()):
        places = [at + number * width for at in range(len(names))]
        shown = [(place, value) for place, value in zip(places, values) if value is not None]
        axes.bar([place for place, _ in shown], [value for _, value in shown], width, label=server)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks([at + 0.4 - width / 2 for at in range(len(names))], names)
    axes.set(title=title, ylabel="÷ limit")
    axes.legend()
    figure.tight_layout()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def replace_figures(page, text):
    """Puts `text` between the marks of `page`."""
    if BEGIN not in page or END not in page:
        raise RuntimeError(f"the page lacks {BEGIN} or {END}")
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{text}\n{END}", page)
