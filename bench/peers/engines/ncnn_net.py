"""ncnn: Winograd, packing and blocked products as by default, half precision off, no GPU. An extractor serves one run. int8:
its own scheme, symmetric, convolutions and fully connected layers only, quantised from the float32 network."""

import subprocess

import ncnn
import numpy as np

from engines.base import Engine, calibration_images, float_model, package_folder


class Ncnn(Engine):
    package = "ncnn"

    def convert(self, onnx_path, folder, kind):
        import onnx

        model = onnx.load(float_model(onnx_path))
        state_split_sizes(model)
        onnx.save(model, folder / "model.onnx")
        dims = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
        shape = str(dims).replace(" ", "")
        subprocess.run([package_folder("pnnx") / "pnnx", "model.onnx", f"inputshape={shape}f32", "fp16=0"], cwd=folder,
                       check=True, capture_output=True)
        if kind == "int8":
            import ncnn_int8

            self.load(folder, 1)
            ncnn_int8.quantize(self.net, folder / "model.ncnn.param", folder / "model.ncnn.bin", calibration_images(dims))

    def load(self, folder, threads):
        self.net = ncnn.Net()
        self.net.opt.num_threads = threads
        self.net.opt.use_vulkan_compute = False
        for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_packed", "bf16_storage"):
            setattr(self.net.opt, f"use_{name}", False)
        if self.net.load_param(str(folder / "model.ncnn.param")) or self.net.load_model(str(folder / "model.ncnn.bin")):
            raise RuntimeError("ncnn does not read what pnnx wrote")
        self.names = self.net.input_names()[0], self.net.output_names()[0]

    def set_input(self, image):
        self.image = ncnn.Mat(image[0]).clone()

    def run(self):
        extractor = self.net.create_extractor()
        extractor.input(self.names[0], self.image)
        _, self.result = extractor.extract(self.names[1])

    def output(self):
        return np.array(self.result)[None]

    def library_files(self):
        return package_folder("ncnn").glob("ncnn*.so")


def state_split_sizes(model):
    """pnnx writes a slice without sizes, on which ncnn crashes, where ONNX leaves equal parts unsaid."""
    import onnx

    typed = onnx.shape_inference.infer_shapes(model).graph.value_info
    channels = {v.name: v.type.tensor_type.shape.dim[1].dim_value for v in typed if len(v.type.tensor_type.shape.dim) > 1}
    for node in model.graph.node:
        if node.op_type == "Split" and len(node.input) == 1:
            sizes = np.array([channels[name] for name in node.output], np.int64)
            node.input.append(f"{node.name}_sizes")
            model.graph.initializer.append(onnx.numpy_helper.from_array(sizes, node.input[1]))
