"""Writes the trained network as ONNX with nothing but onnx.helper.

A converter would add transposes and shape nodes for NHWC; the graph here has
one node per operation of the network, channels first, batch normalisation
folded into the convolutions, so that any small runtime can read it.
"""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from model import CHANNELS


class _Graph:
    def __init__(self, model):
        self.model, self.nodes, self.inits = model, [], []

    def init(self, name, array):
        self.inits.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(self, x, conv_name, bn_name=None):
        layer = self.model.get_layer(conv_name)
        kernel = layer.kernel.numpy().astype(np.float64)  # h, w, in, out
        if bn_name:
            bn = self.model.get_layer(bn_name)
            gamma, beta, mean, var = (v.astype(np.float64) for v in bn.get_weights())
            scale = gamma / np.sqrt(var + bn.epsilon)
            kernel, bias = kernel * scale, beta - mean * scale
        else:
            bias = layer.bias.numpy()
        k = kernel.shape[0]
        weight = self.init(conv_name + ".weight", kernel.transpose(3, 2, 0, 1).astype(np.float32))
        return self.node("Conv", [x, weight, self.init(conv_name + ".bias", bias.astype(np.float32))],
                         conv_name, kernel_shape=[k, k], pads=[k // 2] * 4, strides=[1, 1])

    def block(self, x, name):
        for i in (1, 2):
            x = self.conv(x, f"{name}_conv{i}", f"{name}_bn{i}")
            x = self.node("Relu", [x], f"{name}_relu{i}")
        return x


def to_onnx(model, size, channels=CHANNELS):
    """ONNX model (opset 13) of a trained model.build(): slice [1,1,s,s] -> brain [1,1,s,s]."""
    g = _Graph(model)
    scales = g.init("scales2", np.array([1, 1, 2, 2], np.float32))
    x, skips = "slice", []
    for level in range(len(channels) - 1):
        x = g.block(x, f"enc{level}")
        skips.append(x)
        x = g.node("MaxPool", [x], f"pool{level}", kernel_shape=[2, 2], strides=[2, 2])
    x = g.block(x, "mid")
    for level in reversed(range(len(channels) - 1)):
        x = g.node("Resize", [x, "", scales], f"up{level}", mode="nearest",
                   coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        x = g.node("Concat", [x, skips[level]], f"cat{level}", axis=1)
        x = g.block(x, f"dec{level}")
    g.node("Sigmoid", [g.conv(x, "head")], "brain")
    shape = [1, 1, size, size]
    graph = helper.make_graph(
        g.nodes, "brain2d",
        [helper.make_tensor_value_info("slice", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("brain", TensorProto.FLOAT, shape)], g.inits)
    proto = helper.make_model(graph, producer_name="libtmcnn models/train",
                              opset_imports=[helper.make_opsetid("", 13)])
    proto.ir_version = 8  # the oldest widely read version that allows opset 13 to 17
    onnx.checker.check_model(proto, full_check=True)
    return proto


def save(proto, path):
    """Replaces the file in one step: a reader never sees half a model."""
    with open(path + ".tmp", "wb") as f:
        f.write(proto.SerializeToString(deterministic=True))
    os.replace(path + ".tmp", path)


def max_error(model, proto, inputs):
    """Largest difference between Keras and onnxruntime over [n, s, s] float inputs."""
    import onnxruntime as ort
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    worst = 0.0
    for x in inputs.astype(np.float32):
        logits = model(x[None, :, :, None], training=False).numpy()[0, :, :, 0]
        expected = 1 / (1 + np.exp(-logits.astype(np.float64)))
        got = session.run(None, {"slice": x[None, None]})[0][0, 0]
        worst = max(worst, float(np.abs(got - expected).max()))
    return worst


def describe(proto):
    """(weights, multiply-adds, operator names) counted from the graph itself."""
    shapes = {i.name: list(i.dims) for i in proto.graph.initializer}
    inferred = onnx.shape_inference.infer_shapes(proto)
    sizes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
             for v in list(inferred.graph.value_info) + list(inferred.graph.output)}
    macs = sum(int(np.prod(shapes[n.input[1]])) * int(np.prod(sizes[n.output[0]][2:]))
               for n in proto.graph.node if n.op_type == "Conv")
    weights = sum(int(np.prod(d)) for name, d in shapes.items() if name != "scales2")
    return weights, macs, sorted({n.op_type for n in proto.graph.node})
