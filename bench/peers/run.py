#!/usr/bin/env python3
"""Runs every engine on every model in one alternating run and writes a list of records as JSON.

A round goes through all models and thread counts, engine after engine, each in a process of its own pinned to as many
cores as it has threads; the next round starts with another engine. Ctrl-C and --time-limit keep what was measured.
"""

import argparse
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import time

import page
import process
import records
import report
from engines import ENGINES, OURS
from prepare import BENCH, Model
from records import TYPES

sys.path.insert(0, str(BENCH))

LOADING = ("open_ms", "plan_ms", "session_ms", "first_ms", "median_ms")


class TimeUp(Exception):
    pass


def model_names():
    from models.networks import NETWORKS

    return list(NETWORKS)


def known_name(name, known):
    if name not in known:
        raise argparse.ArgumentTypeError(f"no {name}; there are: {', '.join(known)}")
    return name


def parse():
    names = lambda known: lambda text: [known_name(n, known) for n in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=names(model_names()), default=model_names(), help="names with commas")
    parser.add_argument("--engines", type=names(ENGINES), default=list(ENGINES), help="names with commas")
    parser.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    parser.add_argument("--types", type=names(TYPES), default=list(TYPES), help="fp32, int8 or both with a comma (the default)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="timed per engine and round (default 0.3)")
    parser.add_argument("--min-runs", type=int, default=3, help="per engine and round, even if they take longer")
    parser.add_argument("--time-limit", type=float, default=450,
                        help="seconds of measuring per type, after which no measurement starts (default 450)")
    parser.add_argument("--busy", action="store_true",
                        help="time the largest thread count also beside a process that spins on one core")
    parser.add_argument("--cores", type=lambda text: [int(n) for n in text.split(",")], default=process.available_cores(),
                        help="cores to use, the last for one thread")
    parser.add_argument("--build", default="build", help="folder of the library and the tmcnn command")
    parser.add_argument("--out", default="build/bench/peers.json")
    return parser.parse_args()


class Run:
    def __init__(self, args):
        self.args, self.build = args, pathlib.Path(args.build).resolve()
        self.end = float("inf")
        self.settings = [(threads, False) for threads in args.threads]
        if args.busy:
            self.settings.append((max(args.threads), True))
        self.models, self.cells, self.folders = {}, {}, {}
        self.shared = records.context()

    def save(self):
        return records.write(self.args.out, self.cells.values(), self.shared)

    def check_time(self):
        if time.monotonic() > self.end:
            raise TimeUp

    def prepare(self):
        for name in self.args.models:
            for kind in self.args.types:
                model = self.models[name, kind] = Model(name, kind, self.build)
                model.prepare()
                for threads, busy in self.settings:
                    for engine in self.args.engines:
                        self.cells[name, kind, engine, threads, busy] = records.Cell(name, kind, engine, threads, busy)
                for engine in self.args.engines:
                    self.convert(model, engine)
        self.end = time.monotonic() + self.args.time_limit * len(self.args.types)

    def convert(self, model, engine):
        folder, answer = model.converted(engine)
        self.folders[model.name, model.kind, engine] = folder
        for status in ("skipped", "failed"):
            if status in answer:
                print(f"{model.name}: {engine} {status}: {answer[status]}", flush=True)
                for threads, busy in self.settings:
                    self.cells[model.name, model.kind, engine, threads, busy].stop(status, answer[status])

    def cores(self, threads):
        if threads > len(self.args.cores):
            sys.exit(f"{threads} threads need as many cores; --cores has {len(self.args.cores)}")
        return self.args.cores[-threads:]

    def measure(self, model, engine, threads, busy):
        cell = self.cells[model.name, model.kind, engine, threads, busy]
        if cell.status:
            return
        self.check_time()
        job = {"action": "measure", "engine": engine, "build": str(self.build), "type": model.kind, "threads": threads,
               "folder": str(self.folders[model.name, model.kind, engine]), "input": str(model.input),
               "reference": str(model.reference), "seconds": self.args.seconds, "min_runs": self.args.min_runs}
        cores = self.cores(threads)
        with process.busy_core(cores[0]) if busy else contextlib.nullcontext():
            cell.take(process.work(job, cores))
        if cell.status:
            print(f"{model.name}: {engine}, {threads} threads, {cell.status}: {cell.reason}", flush=True)
        elif engine == OURS[0] and not busy:
            self.measure_loading(cell, job, cores)

    def measure_loading(self, cell, job, cores):
        """The command line's own figures for opening, planning and the first run, mapped and from a private copy."""
        for mode, options in (("mapped", ["--mmap"]), ("private", [])):
            command = [self.build / "tmcnn", "bench", "--json", "--runs", 7, "--threads", job["threads"], *options,
                       pathlib.Path(job["folder"]) / "model.tmc"]
            status, output, errors = process.pinned(command, cores, 300)
            if status:
                raise RuntimeError(f"tmcnn bench: {errors}")
            figures = json.loads(output)
            cell.take_loading(mode, {key: figures[key] for key in LOADING})

    def round(self, number):
        engines = self.args.engines
        turn = number % len(engines)
        for model in self.models.values():
            for threads, busy in self.settings:
                for engine in engines[turn:] + engines[:turn]:
                    self.measure(model, engine, threads, busy)
                self.save()
                print(f"round {number + 1} of {self.args.rounds}: {model.name}, {report.setting_text((model.kind, threads, busy))}", flush=True)


def main():
    args = parse()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    run = Run(args)
    try:
        run.prepare()
        for number in range(args.rounds):
            run.round(number)
    except KeyboardInterrupt:
        print("interrupted: the records hold what was measured")
    except TimeUp:
        print(f"time limit of {args.time_limit:g} s per type: the records hold what was measured")
    done = run.save()
    report.show(done)
    shown = pathlib.Path(args.out).with_suffix(".html")
    page.write(shown, done)
    print(f"records in {args.out}, page in {shown}")


if __name__ == "__main__":
    main()
