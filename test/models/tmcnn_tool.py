"""Drives the tmcnn command line from Python tests."""

import json
import pathlib
import subprocess
import tempfile

import numpy as np


class Tool:
    """One build of tmcnn, perhaps behind an emulator: Tool(["qemu-aarch64", "-L", ..., "build/arm64/tmcnn"])."""

    def __init__(self, command):
        self.command = list(command)
        self.folder = tempfile.TemporaryDirectory(prefix="tmcnn-")

    def path(self, name):
        return str(pathlib.Path(self.folder.name) / name)

    def call(self, *arguments):
        done = subprocess.run([*self.command, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def convert(self, onnx_path, tmc_path, *options):
        self.call("convert", onnx_path, "-o", tmc_path, *options)

    def info(self, tmc_path):
        return json.loads(self.call("info", "--json", tmc_path))

    def run(self, tmc_path, arrays, output_count=1, options=()):
        """Outputs as arrays; inputs in the model's order."""
        inputs, outputs = [], []
        for i, array in enumerate(arrays):
            np.save(self.path(f"in{i}.npy"), array)
            inputs += ["--input", self.path(f"in{i}.npy")]
        for i in range(output_count):
            outputs += ["--output", self.path(f"out{i}.npy")]
        self.call("run", *inputs, *outputs, *options, tmc_path)
        return [np.load(self.path(f"out{i}.npy")) for i in range(output_count)]

    def digests(self, tmc_path, arrays, options=()):
        inputs = []
        for i, array in enumerate(arrays):
            np.save(self.path(f"in{i}.npy"), array)
            inputs += ["--input", self.path(f"in{i}.npy")]
        runs = json.loads(self.call("run", *inputs, "--digest", "--json", *options, tmc_path))
        return [output["digest"] for output in runs[0]["outputs"]]
