#!/usr/bin/env python3
"""Writes the benchmark's networks as ONNX files with random weights: gen_models.py OUT_FOLDER [NAME ...]"""

import pathlib
import sys

from models.networks import NETWORKS


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or NETWORKS:
        if name not in NETWORKS:
            sys.exit(f"no network {name}; there are: {', '.join(NETWORKS)}")
        path = folder / f"{name}.onnx"
        graph, output = NETWORKS[name]()
        graph.save(path, output)
        print(f"{path} {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
