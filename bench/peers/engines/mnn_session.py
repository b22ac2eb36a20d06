"""MNN's session API, float32. A session may overwrite its input, so that a run copies it in, as MNN's own benchmark does."""

import pathlib
import subprocess
import sys

import MNN
import numpy as np

from engines.base import Engine, package_folder


class Mnn(Engine):
    package = "MNN"

    def convert(self, onnx_path, folder, kind):
        tool = pathlib.Path(sys.executable).parent / "mnnconvert"
        subprocess.run([tool, "-f", "ONNX", "--modelFile", onnx_path, "--MNNModel", folder / "model.mnn", "--bizCode", "bench"],
                       check=True, capture_output=True)

    def load(self, folder, threads):
        self.interpreter = MNN.Interpreter(str(folder / "model.mnn"))
        self.session = self.interpreter.createSession({"backend": "CPU", "numThread": threads, "precision": "high"})
        self.source = self.interpreter.getSessionInput(self.session)
        self.target = self.interpreter.getSessionOutput(self.session)

    def set_input(self, image):
        self.image = MNN.Tensor(image.shape, MNN.Halide_Type_Float, image, MNN.Tensor_DimensionType_Caffe)
        shape = self.target.getShape()
        self.result = MNN.Tensor(shape, MNN.Halide_Type_Float, np.zeros(shape, np.float32), MNN.Tensor_DimensionType_Caffe)

    def run(self):
        self.source.copyFrom(self.image)
        self.interpreter.runSession(self.session)
        self.target.copyToHostTensor(self.result)

    def output(self):
        return np.array(self.result.getNumpyData(), np.float32).reshape(self.target.getShape())

    def library_files(self):
        return package_folder("MNN").parent.glob("_mnncengine*.so")
