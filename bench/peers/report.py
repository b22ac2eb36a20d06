"""Ratios and tables over the records."""

import json
import pathlib
import statistics
import sys

from engines import OURS, PEERS


class Results:
    """Records that hold a time, found by what they are of."""

    def __init__(self, records):
        self.all = records
        self.good = {(r["model"], r["type"], r["threads"], r["busy"], r["engine"]): r for r in records if r["status"] == "ok"}
        present = {key[4] for key in self.good}
        self.ours = [e for e in OURS if e in present]
        self.peers = [e for e in PEERS if e in present]
        self.settings = list(dict.fromkeys((r["type"], r["threads"], r["busy"]) for r in records))
        self.models = list(dict.fromkeys(r["model"] for r in records))

    def get(self, model, setting, engine):
        return self.good.get((model, *setting, engine))

    def ratio(self, model, setting, engine, base=OURS[0], field="median_ms"):
        """How many times the base's figure; None where one of them is missing."""
        record, ours = self.get(model, setting, engine), self.get(model, setting, base)
        return record[field] / ours[field] if record and ours else None

    def fastest_peer(self, model, setting):
        found = [self.get(model, setting, engine) for engine in self.peers]
        return min((r for r in found if r), key=lambda r: r["median_ms"], default=None)

    def lead(self, model, setting, base=OURS[0]):
        """The fastest peer's time as a multiple of ours."""
        fastest, ours = self.fastest_peer(model, setting), self.get(model, setting, base)
        return fastest["median_ms"] / ours["median_ms"] if fastest and ours else None

    def mean_lead(self, setting, base=OURS[0]):
        leads = [x for x in (self.lead(model, setting, base) for model in self.models) if x]
        return statistics.geometric_mean(leads) if leads else None

    def type_gain(self, model, setting, engine=OURS[0], base="fp32"):
        """How many times as fast as the same engine's `base` type."""
        this, other = self.get(model, setting, engine), self.get(model, (base, *setting[1:]), engine)
        return other["median_ms"] / this["median_ms"] if this and other else None

    def mean_gain(self, setting, engine=OURS[0]):
        gains = [x for x in (self.type_gain(model, setting, engine) for model in self.models) if x]
        return statistics.geometric_mean(gains) if gains else None

    def busy_ratio(self, model, setting, engine):
        """Beside a busy process, as a multiple of the engine's own 1-thread time on idle cores."""
        beside, alone = self.get(model, setting, engine), self.get(model, (setting[0], 1, False), engine)
        return beside["median_ms"] / alone["median_ms"] if beside and alone else None


def setting_text(setting):
    kind, threads, busy = setting
    return f"{kind}, {threads} thread{'s' if threads > 1 else ''}{', one core busy elsewhere' if busy else ''}"


def cells(values, form, width):
    return "".join(f"{'-' if value is None else format(value, form):>{width}}" for value in values)


def show_setting(results, setting):
    others = [e for e in results.ours[1:] + results.peers]
    print(f"\n{setting_text(setting)}: milliseconds of ours, then each engine's median as a multiple of it")
    print(f"{'model':20}{'tmcnn':>9}" + "".join(f"{e[:11]:>12}" for e in others) + f"{'fastest peer':>14}{'ratio':>7}")
    for model in results.models:
        ours, fastest = results.get(model, setting, OURS[0]), results.fastest_peer(model, setting)
        print(f"{model:20}" + cells([ours and ours["median_ms"]], ".2f", 9)
              + cells([results.ratio(model, setting, e) for e in others], ".2f", 12)
              + f"{fastest['engine'] if fastest else '-':>14}" + cells([results.lead(model, setting)], ".2f", 7))
    for base in results.ours:
        mean = results.mean_lead(setting, base)
        if mean:
            print(f"geometric mean of fastest peer / {base}: {mean:.3f}")


def show_gains(results, setting):
    engines = results.ours + results.peers
    print(f"\n{setting_text(setting)}: how many times as fast as the same engine's fp32")
    print(f"{'model':20}" + "".join(f"{e[:11]:>12}" for e in engines))
    for model in results.models:
        print(f"{model:20}" + cells([results.type_gain(model, setting, e) for e in engines], ".2f", 12))
    print(f"{'geometric mean':20}" + cells([results.mean_gain(setting, e) for e in engines], ".2f", 12))


def show_loading(results):
    """What opening, verifying and planning cost as a part of one inference, and a cold first answer beside a warm one."""
    found = [r for r in results.good.values() if r["loading"]]
    if found:
        print("\ntmcnn, loading: open (with all checks) + plan + session, as a part of one inference; cold start through the first "
              "run as a multiple")
        print(f"{'model':20}{'type':>6}{'threads':>8}{'mapped ms':>11}{'part':>7}{'cold':>7}{'private ms':>12}{'part':>7}{'cold':>7}")
    for record in found:
        line = f"{record['model']:20}{record['type']:>6}{record['threads']:>8}"
        for mode, width in (("mapped", 11), ("private", 12)):
            part, cold, load = loading_ratios(record["loading"][mode])
            line += f"{load:>{width}.2f}{part:>7.2f}{cold:>7.2f}"
        print(line)


def loading_ratios(figures):
    """(loading / inference, loading and first run / inference, loading in ms)."""
    load = figures["open_ms"] + figures["plan_ms"] + figures["session_ms"]
    return load / figures["median_ms"], (load + figures["first_ms"]) / figures["median_ms"], load


def show_busy(results):
    for kind, threads, busy in results.settings:
        if not busy:
            continue
        engines = results.ours + results.peers
        print(f"\n{kind}, {threads} threads with one core busy elsewhere: median as a multiple of the engine's own 1-thread time")
        print(f"{'model':20}" + "".join(f"{e[:11]:>12}" for e in engines))
        for model in results.models:
            ratios = [results.busy_ratio(model, (kind, threads, busy), engine) for engine in engines]
            print(f"{model:20}" + cells(ratios, ".2f", 12))


def show(records):
    results = Results(records)
    for setting in results.settings:
        show_setting(results, setting)
    for setting in results.settings:
        if setting[0] != "fp32" and ("fp32", *setting[1:]) in results.settings:
            show_gains(results, setting)
    show_loading(results)
    show_busy(results)
    reasons = {(r["engine"], r["model"], r["type"], r["reason"]): r["status"] for r in records if r["status"] != "ok"}
    for (engine, model, kind, reason), status in reasons.items():
        print(f"{status}: {engine} on {model}, {kind}: {reason}")


if __name__ == "__main__":
    show(json.loads(pathlib.Path(sys.argv[1]).read_text()))
