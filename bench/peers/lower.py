"""ONNX, float32 or QDQ, to a list of channels-last operators: what the writers for LiteRT and XNNPACK have in common.

Batch normalisation is folded into the convolution before it, and a clamp into the operator whose result only it reads:
the official converters do both, so leaving it out would handicap the peer.

A QDQ graph is read as the graph between its QuantizeLinear and DequantizeLinear nodes, whose tensors then have a scale
and a zero point, in TFLite's terms: uint8 is moved by 128.
"""

import dataclasses

import numpy as np
import onnx
from onnx import numpy_helper

from engines.base import Unsupported

INFINITY = float("inf")
CLAMPED = {"conv", "depthwise", "up_conv", "dense", "add", "mul", "average_pool", "max_pool"}


@dataclasses.dataclass
class Op:
    """pads are (top, left, bottom, right). Weights: conv and up_conv [O,kh,kw,I], depthwise [1,kh,kw,C], dense [O,I].

    int8 weights have scales, one per output channel; their bias is int32.
    """

    kind: str
    inputs: list
    outputs: list
    weight: np.ndarray = None
    bias: np.ndarray = None
    scales: np.ndarray = None
    kernel: tuple = (1, 1)
    strides: tuple = (1, 1)
    pads: tuple = (0, 0, 0, 0)
    groups: int = 1
    clamp: tuple = (-INFINITY, INFINITY)


class Lowered:
    """ops in order; shape[name] without batch, channels last; constants[name] are float32 arrays, or int8 ones.

    quantization[name] is (scale, zero point) of an int8 tensor or constant; empty for a float32 graph.
    """

    def __init__(self, path):
        graph = onnx.load(path).graph
        self.name = graph.name
        self.weights = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
        self.ops, self.shape, self.constants, self.maker = [], {}, {}, {}
        self.quantization, self.scales, self.alias, self.readers = {}, {}, {}, {}
        nodes = self.without_quantization(graph.node)
        for node in nodes:
            for name in node.input:
                self.readers[name] = self.readers.get(name, 0) + 1
        dims = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim]
        self.input = graph.input[0].name
        self.output = self.alias.get(graph.output[0].name, graph.output[0].name)
        self.readers[self.output] = self.readers.get(self.output, 0) + 1
        self.shape[self.input] = (dims[2], dims[3], dims[1])
        for node in nodes:
            if not hasattr(self, node.op_type):
                raise Unsupported(f"operator {node.op_type}")
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            getattr(self, node.op_type)(node, attributes)
        del self.weights

    def without_quantization(self, nodes):
        """The nodes between, reading each tensor by the name that it has before it is quantised."""
        rest = []
        for node in nodes:
            source, result = node.input[0], node.output[0]
            if node.op_type == "QuantizeLinear":
                scale, zero = (self.weights[name] for name in node.input[1:])
                self.quantization[source] = scale.item(), zero.item() - (128 if zero.dtype == np.uint8 else 0)
                self.alias[result] = source
            elif node.op_type == "DequantizeLinear" and source in self.weights:
                self.weights[result], self.scales[result] = self.weights[source], self.weights[node.input[1]]
            elif node.op_type == "DequantizeLinear":
                self.alias[result] = self.alias[source]
            else:
                for i, name in enumerate(node.input):
                    node.input[i] = self.alias.get(name, name)
                rest.append(node)
        return rest

    # ---------------------------------------------------------------------------------------------------- building

    def add_op(self, op, *shapes):
        self.ops.append(op)
        for name, shape in zip(op.outputs, shapes):
            self.shape[name] = shape
            self.maker[name] = op
        return op

    def constant(self, array):
        name = f"constant{len(self.constants)}"
        self.constants[name] = np.ascontiguousarray(array, np.float32)
        self.shape[name] = self.constants[name].shape
        return name

    def producer(self, name, kinds):
        """The operator whose result only the present node reads, if it is of these kinds and not yet clamped."""
        op = self.maker.get(name)
        free = op and op.kind in kinds and self.readers[name] == 1 and op.clamp == (-INFINITY, INFINITY)
        return op if free else None

    def rename(self, op, old, new):
        op.outputs = [new]
        self.shape[new], self.maker[new] = self.shape.pop(old), self.maker.pop(old)

    def clamp(self, node, low, high):
        op = self.producer(node.input[0], CLAMPED)
        if op:
            op.clamp = (low, high)
            self.rename(op, node.input[0], node.output[0])
        else:
            self.add_op(Op("clamp", [node.input[0]], [node.output[0]], clamp=(low, high)), self.shape[node.input[0]])

    def same_shape(self, kind, node):
        shapes = [self.shape[name] for name in node.input]
        self.add_op(Op(kind, list(node.input), [node.output[0]]), max(shapes, key=np.prod))

    @staticmethod
    def window(attributes):
        pads = tuple(attributes.get("pads", (0, 0, 0, 0)))
        return {"kernel": tuple(attributes["kernel_shape"]), "strides": tuple(attributes.get("strides", (1, 1))), "pads": pads}

    def windowed_shape(self, op, channels):
        size = self.shape[op.inputs[0]]
        out = [(size[i] + op.pads[i] + op.pads[i + 2] - op.kernel[i]) // op.strides[i] + 1 for i in range(2)]
        return (*out, channels)

    # ----------------------------------------------------------------------------------- one method per ONNX operator

    def Conv(self, node, attributes):
        weight = self.weights[node.input[1]]
        bias = self.weights[node.input[2]] if len(node.input) > 2 else np.zeros(len(weight), np.float32)
        groups, channels = attributes.get("group", 1), self.shape[node.input[0]][2]
        if tuple(attributes.get("dilations", (1, 1))) != (1, 1):
            raise Unsupported("dilated convolution")
        depthwise = groups == channels == len(weight) and groups > 1
        if groups > 1 and not depthwise:
            raise Unsupported("grouped convolution")
        kind, order = ("depthwise", (1, 2, 3, 0)) if depthwise else ("conv", (0, 2, 3, 1))
        op = Op(kind, [node.input[0]], [node.output[0]], np.ascontiguousarray(weight.transpose(order)), bias,
                self.scales.get(node.input[1]), groups=groups, **self.window(attributes))
        self.add_op(op, self.windowed_shape(op, len(weight)))

    def ConvTranspose(self, node, attributes):
        weight, window = self.weights[node.input[1]], self.window(attributes)
        if window["kernel"] != window["strides"] or any(window["pads"]):
            raise Unsupported("transposed convolution whose windows overlap")
        height, width, _ = self.shape[node.input[0]]
        op = Op("up_conv", [node.input[0]], [node.output[0]], np.ascontiguousarray(weight.transpose(1, 2, 3, 0)),
                self.weights[node.input[2]], self.scales.get(node.input[1]), **window)
        self.add_op(op, (height * op.strides[0], width * op.strides[1], weight.shape[1]))

    def BatchNormalization(self, node, attributes):
        gamma, beta, mean, variance = (self.weights[name].astype(np.float64) for name in node.input[1:])
        scale = gamma / np.sqrt(variance + attributes.get("epsilon", 1e-5))
        shift = beta - mean * scale
        op = self.producer(node.input[0], {"conv", "depthwise"})
        if op:
            by_output = scale if op.kind == "depthwise" else scale[:, None, None, None]
            op.weight = (op.weight * by_output).astype(np.float32)
            op.bias = (op.bias * scale + shift).astype(np.float32)
            self.rename(op, node.input[0], node.output[0])
            return
        middle = node.output[0] + "_scaled"
        shape = self.shape[node.input[0]]
        self.readers[middle] = 1
        self.add_op(Op("mul", [node.input[0], self.constant(scale)], [middle]), shape)
        self.add_op(Op("add", [middle, self.constant(shift)], [node.output[0]]), shape)

    def Relu(self, node, _):
        self.clamp(node, 0.0, INFINITY)

    def Clip(self, node, _):
        self.clamp(node, self.weights[node.input[1]].item(), self.weights[node.input[2]].item())

    def HardSwish(self, node, _):
        if not self.quantization:
            self.same_shape("hard_swish", node)
            return
        gate = node.output[0] + "_gate"
        self.quantization[gate] = 1 / 255, -128
        self.line(node.input[0], gate, 1 / 6, 0.5)
        self.add_op(Op("mul", [node.input[0], gate], [node.output[0]]), self.shape[gate])

    def Sigmoid(self, node, _):
        self.same_shape("sigmoid", node)

    def line(self, source, target, slope, shift):
        """A straight line from int8 to int8, clamped by its range. The product only changes what the integers mean."""
        shape, middle = self.shape[source], target + "_line"
        scale, zero = self.quantization[source]
        self.quantization[middle] = scale * slope, zero
        for kind, x, value, y in (("mul", source, slope, middle), ("add", middle, shift, target)):
            name = self.constant([value])
            self.quantization[name] = abs(value) / 127, 0
            self.constants[name] = np.array([127], np.int8)
            self.add_op(Op(kind, [x, name], [y]), shape)

    def HardSigmoid(self, node, attributes):
        alpha, beta = (np.float32(attributes[name]) for name in ("alpha", "beta"))
        if self.quantization:
            self.line(node.input[0], node.output[0], float(alpha), float(beta))
            return
        top = float(1 / alpha)  # 6 in float32, which LiteRT clamps to for nothing
        middle, shape = node.output[0] + "_shifted", self.shape[node.input[0]]
        self.add_op(Op("add", [node.input[0], self.constant([beta / alpha])], [middle], clamp=(0.0, top)), shape)
        self.add_op(Op("mul", [middle, self.constant([alpha])], [node.output[0]]), shape)

    def Add(self, node, _):
        self.same_shape("add", node)

    def Mul(self, node, _):
        self.same_shape("mul", node)

    def MaxPool(self, node, attributes):
        self.pool("max_pool", node, attributes)

    def AveragePool(self, node, attributes):
        if any(attributes.get("pads", ())):
            raise Unsupported("average pooling with padding")
        self.pool("average_pool", node, attributes)

    def pool(self, kind, node, attributes):
        op = Op(kind, [node.input[0]], [node.output[0]], **self.window(attributes))
        self.add_op(op, self.windowed_shape(op, self.shape[node.input[0]][2]))

    def GlobalAveragePool(self, node, _):
        self.add_op(Op("global_pool", [node.input[0]], [node.output[0]]), (1, 1, self.shape[node.input[0]][2]))

    def Flatten(self, node, _):
        height, width, channels = self.shape[node.input[0]]
        if height * width > 1:
            raise Unsupported("flattening a plane, whose order depends on the layout")
        self.add_op(Op("reshape", [node.input[0]], [node.output[0]]), (channels,))

    def Gemm(self, node, attributes):
        if not attributes.get("transB"):
            raise Unsupported("matrix product without transB")
        weight, bias = (self.weights[name] for name in node.input[1:])
        self.add_op(Op("dense", [node.input[0]], [node.output[0]], weight, bias, self.scales.get(node.input[1])), (len(weight),))

    def Concat(self, node, _):
        shapes = [self.shape[name] for name in node.input]
        channels = sum(s[2] for s in shapes)
        self.add_op(Op("concat", list(node.input), [node.output[0]]), (*shapes[0][:2], channels))

    def Split(self, node, _):
        height, width, channels = self.shape[node.input[0]]
        part = (height, width, channels // len(node.output))
        self.add_op(Op("split", [node.input[0]], list(node.output)), *[part] * len(node.output))

    def Reshape(self, node, _):
        """Only as the two ends of a channel shuffle: [1,C,H,W] to [1,g,C/g,H,W], and back."""
        target = tuple(int(d) for d in self.weights[node.input[1]])
        if len(target) == 5:
            self.add_op(Op("shuffle", [node.input[0]], [node.output[0]], groups=target[1]), self.shape[node.input[0]])
        else:
            op = self.producer(node.input[0], {"shuffle"})
            if not op or op.groups > 0 or target[1:] != tuple(np.roll(self.shape[node.input[0]], 1)):
                raise Unsupported("reshape outside a channel shuffle")
            op.groups = -op.groups
            self.rename(op, node.input[0], node.output[0])

    def Transpose(self, node, attributes):
        op = self.producer(node.input[0], {"shuffle"})
        if not op or list(attributes["perm"]) != [0, 2, 1, 3, 4]:
            raise Unsupported("transpose outside a channel shuffle")
        op.groups = -op.groups  # negative: open until the reshape that ends the shuffle
        self.rename(op, node.input[0], node.output[0])
