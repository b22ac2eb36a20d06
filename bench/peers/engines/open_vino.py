"""OpenVINO, CPU plugin: latency hint, one stream, float32 or int8 arithmetic, weights not compressed. int8 graphs are
quantised behind hard-swish and SiLU only, not before: it fuses them into the convolution, as NNCF's models are made for."""

import onnx
import openvino

from engines.base import Engine, package_folder


class OpenVino(Engine):
    package = "openvino"

    def convert(self, onnx_path, folder, kind):
        if kind == "int8":
            model = onnx.load(onnx_path)
            without_inner_quantization(model.graph)
            onnx_path = folder / "model.onnx"
            onnx.save(model, onnx_path)
        openvino.save_model(openvino.convert_model(str(onnx_path)), str(folder / "model.xml"), compress_to_fp16=False)

    def load(self, folder, threads):
        settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads,
                    "INFERENCE_PRECISION_HINT": "f32"}
        compiled = openvino.Core().compile_model(str(folder / "model.xml"), "CPU", settings)
        self.request = compiled.create_infer_request()

    def set_input(self, image):
        self.request.set_input_tensor(openvino.Tensor(image, shared_memory=True))

    def run(self):
        self.request.start_async()
        self.request.wait()

    def output(self):
        return self.request.get_output_tensor().data.copy()

    def library_files(self):
        needed = ("libopenvino.so", "libopenvino_intel_cpu_plugin", "libopenvino_ir_frontend", "libtbb.so", "libtbbmalloc.so",
                  "libhwloc")
        return [f for f in (package_folder("openvino") / "libs").iterdir() if f.name.startswith(needed)]


def without_inner_quantization(graph):
    """Takes out the pairs of nodes that quantise what only an activation function reads, and SiLU's sigmoid."""
    maker = {name: node for node in graph.node for name in node.output}
    readers = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    original, dropped = {}, set()
    for node in graph.node:
        pair = maker.get(node.input[0]) if node.op_type == "DequantizeLinear" else None
        source = maker.get(pair.input[0]) if pair else None
        kinds = sorted(reader.op_type for reader in readers.get(node.output[0], []))
        before = kinds in (["HardSwish"], ["Mul", "Sigmoid"])
        gate = source and source.op_type == "Sigmoid" and any(
            source.input[0] in reader.input for reader in readers[node.output[0]])
        if source and (before or gate):
            original[node.output[0]] = pair.input[0]
            dropped |= {pair.name, node.name}
    kept = [node for node in graph.node if node.name not in dropped]
    for node in kept:
        for i, name in enumerate(node.input):
            node.input[i] = original.get(name, name)
    del graph.node[:]
    graph.node.extend(kept)
