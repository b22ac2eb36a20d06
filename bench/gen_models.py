#!/usr/bin/env python3
"""Writes the benchmark's networks as ONNX files with random weights: gen_models.py OUT_FOLDER [NAME ...]

NAME_int8 is the same network in static int8, QDQ; it needs onnxruntime, which shows the ranges of its activations.
Without names: all networks in both forms.
"""

import pathlib
import sys

import onnx

from models.networks import NETWORKS
from models.quantize import quantize

INT8 = "_int8"


def make(name):
    graph, output = NETWORKS[name.removesuffix(INT8)]()
    model = graph.model(output)
    return quantize(model) if name.endswith(INT8) else model


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or [*NETWORKS, *(name + INT8 for name in NETWORKS)]:
        if name.removesuffix(INT8) not in NETWORKS:
            sys.exit(f"no network {name}; there are: {', '.join(NETWORKS)}, each also with {INT8}")
        path = folder / f"{name}.onnx"
        onnx.save(make(name), path)
        print(f"{path} {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
