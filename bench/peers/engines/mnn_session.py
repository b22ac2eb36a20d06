"""MNN's session API. A session may overwrite its input, so that a run copies it in, as MNN's own benchmark does. int8:
quantised by its own tool from the float32 network."""

import json

import _tools
import MNN
import numpy as np

from engines.base import Engine, calibration_images, float_model, package_folder

DEVIATIONS = 3  # calibration images are bytes: the normal distribution within so many deviations


class Mnn(Engine):
    package = "MNN"

    def convert(self, onnx_path, folder, kind):
        """Its commands only call these two functions, and install a package for logs outside the environment before."""
        target = str(folder / "model.mnn")
        if not _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", str(float_model(onnx_path)), "--MNNModel", target,
                                  "--bizCode", "bench"]):
            raise RuntimeError("mnnconvert failed")
        if kind == "int8":
            _tools.mnnquant(["mnnquant", target, target + ".int8", str(write_calibration(folder, MNN.Interpreter(target)))])
            (folder / "model.mnn.int8").replace(target)

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


def write_calibration(folder, interpreter):
    """Images as files and the tool's configuration, which says how to make numbers of them again."""
    _, _, height, width = interpreter.getSessionInput(interpreter.createSession()).getShape()
    images = folder / "images"
    images.mkdir(exist_ok=True)
    normal = DEVIATIONS / 127.5
    for i, image in enumerate(calibration_images((height, width, 3))):
        pixels = np.clip(np.rint(image / normal + 127.5), 0, 255).astype(np.uint8)
        (images / f"{i}.ppm").write_bytes(f"P6\n{width} {height}\n255\n".encode() + pixels.tobytes())
    settings = {"format": "RGB", "mean": [127.5] * 3, "normal": [normal] * 3, "width": width, "height": height,
                "path": f"{images}/", "used_image_num": 4, "feature_quantize_method": "KL", "weight_quantize_method": "MAX_ABS"}
    path = folder / "quantize.json"
    path.write_text(json.dumps(settings))
    return path
