#!/usr/bin/env python3
"""The records as one HTML page without scripts, fonts or pictures from elsewhere: page.py RECORDS.json PAGE.html"""

import ast
import html
import json
import pathlib
import statistics
import sys

from engines import ENGINES, OURS
from plots import number, panel
from records import LARGEST_ERROR
from report import Results, loading_ratios, setting_text

STYLE = pathlib.Path(__file__).with_name("page.css")
NAMES = {"mobilenet_v1": "MobileNetV1", "mobilenet_v2": "MobileNetV2", "mobilenet_v3_large": "MobileNetV3-L",
         "efficientnet_b0": "EfficientNet-B0", "squeezenet_v11": "SqueezeNet 1.1", "shufflenet_v2": "ShuffleNetV2",
         "resnet18": "ResNet-18", "resnet50": "ResNet-50", "densenet121": "DenseNet-121", "unet256": "U-Net 256"}


def name_of(model):
    return NAMES.get(model, model)


def table(head, rows):
    """Cells are text, or (text, css class)."""
    def cell(tag, content):
        content, css = content if isinstance(content, tuple) else (content, "")
        return f'<{tag} class="{css}">{html.escape(content)}</{tag}>'

    body = "".join("<tr>" + cell("th", row[0]) + "".join(cell("td", c) for c in row[1:]) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{"".join(cell("th", c) for c in head)}</tr></thead><tbody>{body}</tbody></table></div>'


def figure(value, form=".2f"):
    return "–" if value is None else format(value, form)


def colour(engine, fastest=None):
    return "ours" if engine == OURS[0] else "also-ours" if engine in OURS else "fastest" if engine == fastest else "peer"


class Page:
    def __init__(self, records):
        self.records, self.results = records, Results(records)
        self.engines = self.results.ours + self.results.peers
        self.idle = sorted((s for s in self.results.settings if not s[2]), key=lambda s: s[1])  # types of a thread count together
        self.first = [s for s in self.idle if s[1] == self.idle[0][1]]

    def record_of(self, model, setting, engine):
        return next((r for r in self.records if (r["model"], r["engine"]) == (model, engine)
                     and (r["type"], r["threads"], r["busy"]) == setting), None)

    def rows(self, model, setting, parts, fastest=None):
        """One bar per engine; one that did not run says so in the place of its bar."""
        rows = []
        for engine in self.engines:
            record = self.record_of(model, setting, engine)
            if record and record["status"] == "ok":
                rows.append((engine, parts(record, colour(engine, fastest)), None))
            elif record:
                rows.append((engine, None, record["status"]))
        return rows

    # ---------------------------------------------------------------------------------------------------- sections

    def summary(self):
        tiles = []
        for setting in self.idle:
            leads = {m: self.results.lead(m, setting) for m in self.results.models}
            leads = {m: lead for m, lead in leads.items() if lead}
            if leads:
                ahead = sum(lead >= 1 for lead in leads.values())
                mean = statistics.geometric_mean(leads.values())
                tiles.append(f'<div class="tile"><b>{mean:.2f} ×</b> {setting_text(setting)}: the fastest peer\'s time over ours, '
                             f"geometric mean; ours is the fastest on {ahead} of {len(leads)} models</div>")
            gain = setting[0] != "fp32" and self.results.mean_gain(setting)
            if gain:
                tiles.append(f'<div class="tile"><b>{gain:.2f} ×</b> {setting_text(setting)}: our fp32 time over this one, geometric '
                             "mean</div>")
        first = self.records[0]
        where = html.escape(f"{first['machine']}. {first['date']}, commit {first['commit']}.")
        return f"<p>{where} Batch 1, random weights, the same graph and input for all, engine after engine in one run.</p>" + \
            f'<div class="tiles">{"".join(tiles)}</div>'

    def panels(self, settings, draw):
        """A panel for each model, with those of its types side by side."""
        titled = lambda model, setting: f"{name_of(model)}, {setting[0]}" if len(self.first) > 1 else name_of(model)
        return grid([draw(model, setting, titled(model, setting)) for model in self.results.models for setting in settings],
                    len(settings))

    def latency(self, threads):
        def draw(model, setting, title):
            fastest, lead = self.results.fastest_peer(model, setting), self.results.lead(model, setting)
            rows = self.rows(model, setting, lambda r, css: [(r["median_ms"], css)], fastest and fastest["engine"])
            return panel(title, rows, "ms", note=f"fastest peer {figure(lead)} × ours" if lead else "")

        text = "Median of all runs; shorter is better. A bar with an arrow is longer than drawn; each panel has its own scale."
        return f"<h2>Latency: {threads_text(threads)}</h2><p>{text}</p>" + \
            self.panels([s for s in self.idle if s[1] == threads], draw)

    def gains(self):
        sections = []
        for setting in self.idle:
            if setting[0] != "fp32" and any(self.results.mean_gain(setting, e) for e in self.engines):
                rows = [[name_of(m)] + [figure(self.results.type_gain(m, setting, e)) for e in self.engines]
                        for m in self.results.models]
                rows.append(["geometric mean"] + [figure(self.results.mean_gain(setting, e)) for e in self.engines])
                sections.append(f"<h3>{setting_text(setting)}</h3>" + table(["model", *self.engines], rows))
        text = "How many times as fast as its fp32 each engine is: medians of the same run."
        return f"<h2>int8 over fp32</h2><p>{text}</p>" + "".join(sections) if sections else ""

    def ratios(self):
        figures = []
        for setting in self.idle:
            rows = []
            for model in self.results.models:
                lead, fastest = self.results.lead(model, setting), self.results.fastest_peer(model, setting)
                if lead:
                    rows.append((name_of(model), [(lead, "ours" if lead >= 1 else "behind")], f"{lead:.2f} {fastest['engine']}"))
            figures.append(panel(setting_text(setting), rows, "", mark=1))
        return "<h2>The fastest peer's time over ours</h2><p>Right of the line ours is faster than every peer. " \
            "The name is the fastest peer's.</p>" + grid(figures, len(self.first))

    def medians(self, setting):
        rows = []
        for model in self.results.models:
            found = [self.results.get(model, setting, e) for e in self.engines]
            best = min((r["median_ms"] for r in found if r), default=None)
            both = lambda r: (f"{number(r['median_ms'])} / {number(r['p90_ms'])}", "best" if r["median_ms"] == best else "")
            rows.append([name_of(model)] + [both(r) if r else "–" for r in found])
        return f"<h3>{setting_text(setting)}: median / 90th percentile, ms</h3>" + table(["model", *self.engines], rows)

    def cold(self):
        parts = lambda r, css: [(r["create_ms"], css), (r["first_ms"], css + " light")]
        figures = self.panels(self.first, lambda model, setting, title: panel(title, self.rows(model, setting, parts), "ms"))
        text = "From files on disk (in the page cache) to the first answer: loading and preparing, then, lighter, the first " \
               "inference. Importing the library comes before and is not counted."
        return f"<h2>Cold start: {threads_text(self.idle[0][1])}</h2><p>{text}</p>" + figures + self.loading()

    def loading(self):
        rows = []
        for record in self.results.good.values():
            if record["loading"] and record["threads"] == self.idle[0][1]:
                line = [f"{name_of(record['model'])}, {record['type']}"]
                for mode in ("mapped", "private"):
                    part, cold, load = loading_ratios(record["loading"][mode])
                    line += [f"{load:.2f}", f"{part:.2f}", f"{cold:.2f}"]
                rows.append(line)
        if not rows:
            return ""
        text = "Open with all checks, plan and session: milliseconds, and as a part of one warm inference; then all that and the " \
               "first run, as a multiple of a warm inference. From tmcnn bench."
        head = ["model", "mapped ms", "part", "cold ×", "private copy ms", "part", "cold ×"]
        return f"<h3>Ours, mapped and from a private copy</h3><p>{text}</p>" + table(head, rows)

    def memory(self):
        size = lambda record, css: [(record["peak_mib"], css)]
        figures = self.panels(self.first, lambda model, setting, title: panel(title, self.rows(model, setting, size), "MiB"))
        text = "Largest resident size of the process less that before the engine was loaded: the library, its bindings, weights " \
               "(mapped files too), activations."
        return f"<h2>Peak memory: {threads_text(self.idle[0][1])}</h2><p>{text}</p>" + figures

    def errors(self):
        rows = [[f"{name_of(m)}, {s[0]}"] + [figure(r and r["max_error"], ".1e") for r in (self.results.get(m, s, e) for e in self.engines)]
                for m in self.results.models for s in self.first]
        limits = " or ".join(f"{LARGEST_ERROR[kind]:g} ({kind})" for kind, *_ in self.first)
        text = "Largest distance of an output from a float64 evaluation of the same graph, for int8 the quantised one with all its " \
               f"roundings, as a part of the largest output. An engine above {limits} counts as failed and is not timed."
        return f"<h2>Error</h2><p>{text}</p>" + table(["model", *self.engines], rows)

    def busy(self):
        sections = []
        for setting in self.results.settings:
            if setting[2]:
                rows = []
                for model in self.results.models:
                    ratios = [self.results.busy_ratio(model, setting, engine) for engine in self.engines]
                    rows.append([name_of(model), *map(figure, ratios)])
                text = "Median as a multiple of the same engine's 1-thread time on idle cores."
                sections.append(f"<h2>{setting_text(setting)}</h2><p>{text}</p>" + table(["model", *self.engines], rows))
        return "".join(sections)

    def engine_list(self):
        rows = []
        for engine in self.engines:
            record = next(r for r in self.results.good.values() if r["engine"] == engine)
            rows.append([engine, record["version"], number(record["library_mib"]), (settings_of(engine), "words")])
        reasons = {}
        for r in self.records:
            if r["status"] != "ok":
                reasons.setdefault((r["engine"], r["type"], r["status"], r["reason"]), set()).add(name_of(r["model"]))
        lines = [f"{engine}, {kind}: {status} ({', '.join(sorted(models))}): {reason}"
                 for (engine, kind, status, reason), models in reasons.items()]
        missing = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        text = "Library size: the shared libraries that a program needs for it, as the package ships them."
        return f"<h2>Engines</h2><p>{text}</p>" + table(["engine", "version", "library MiB", ("settings", "words")], rows) + \
            (f"<h3>Did not run</h3><ul>{missing}</ul>" if missing else "")

    def html(self):
        if not self.engines or not self.idle:
            return "<!doctype html><title>libtmcnn beside its peers</title><p>No engine was measured."
        latencies = map(self.latency, dict.fromkeys(threads for _, threads, _ in self.idle))
        parts = [self.summary(), self.ratios(), *latencies, self.gains(), *map(self.medians, self.idle), self.busy(), self.cold(),
                 self.memory(), self.errors(), self.engine_list()]
        return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>libtmcnn beside its peers</title>
<style>
{STYLE.read_text()}</style>
</head>
<body>
<h1>libtmcnn beside its peers</h1>
{chr(10).join(parts)}
</body>
</html>
"""


def grid(figures, together=1):
    """`together` figures stand in one line, or below each other where that is too narrow."""
    lines = ["".join(figures[i:i + together]) for i in range(0, len(figures), together)]
    if together > 1:
        lines = [f'<div class="together">{line}</div>' for line in lines]
    return f'<div class="{"grid" if together == 1 else "grid sets"}">{"".join(lines)}</div>'


def threads_text(threads):
    return setting_text(("", threads, False)).removeprefix(", ")


def settings_of(engine):
    """The first words of the engine's own file, which say how it is set."""
    module = pathlib.Path(__file__).parent / "engines" / f"{ENGINES[engine][0]}.py"
    return " ".join(ast.get_docstring(ast.parse(module.read_text())).split())


def write(path, records):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(Page(records).html())
    part.replace(path)


if __name__ == "__main__":
    write(sys.argv[2], json.loads(pathlib.Path(sys.argv[1]).read_text()))
