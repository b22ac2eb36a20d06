"""Models, inputs, references and conversions, made once and kept until something they are made from is newer."""

import json
import pathlib
import subprocess
import sys

import numpy as np

import process
import reference
from engines import conversion_of

HERE = pathlib.Path(__file__).parent
BENCH = HERE.parent


def newer(target, sources):
    return not target.exists() or any(source.stat().st_mtime > target.stat().st_mtime for source in sources)


def save(path, array):
    part = path.with_suffix(".part.npy")
    np.save(part, array)
    part.replace(path)


class Model:
    """The files of one network and element type. All types have the same input, each the reference of its own graph."""

    def __init__(self, name, kind, build):
        self.name, self.kind, self.build = name, kind, pathlib.Path(build).resolve()
        models = self.build / "bench" / "models"
        self.onnx = models / (f"{name}.onnx" if kind == "fp32" else f"{name}_{kind}.onnx")
        self.folder = models / name
        self.input, self.reference = self.folder / "input.npy", self.folder / f"reference_{kind}.npy"

    def prepare(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        # Always the float32 file too: some converters quantise it themselves.
        for path in dict.fromkeys((self.onnx.with_name(f"{self.name}.onnx"), self.onnx)):
            if newer(path, (BENCH / "models").glob("*.py")):
                command = [sys.executable, BENCH / "gen_models.py", path.parent, path.stem]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if newer(self.reference, [self.onnx, HERE / "reference.py", HERE / "prepare.py"]):
            import onnx

            shape = [d.dim_value for d in onnx.load(self.onnx).graph.input[0].type.tensor_type.shape.dim]
            image = np.random.default_rng(7).standard_normal(shape).astype(np.float32)
            save(self.input, image)
            save(self.reference, reference.evaluate(self.onnx, image))

    def converted(self, engine):
        """(folder, why not): the engine's own files, converted in a process of its own."""
        folder = self.folder / self.kind / conversion_of(engine)
        mark = folder / "converted.json"
        sources = [self.onnx, HERE / "requirements.txt", *HERE.glob("engines/*.py"), *HERE.glob("*_writer.py"), HERE / "lower.py",
                   HERE / "ncnn_int8.py"]
        if engine.startswith("tmcnn"):
            sources.append(self.build / "tmcnn")
        answer = {} if newer(mark, sources) else json.loads(mark.read_text())
        if not answer.get("done"):
            job = {"action": "convert", "engine": engine, "build": str(self.build), "folder": str(folder), "onnx": str(self.onnx),
                   "type": self.kind}
            answer = process.work(job, process.available_cores())
            if not answer:
                mark.write_text(json.dumps({"done": True}))
        return folder, answer
