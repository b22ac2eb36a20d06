"""Static int8 in ONNX's QDQ form, made from a float32 network of this folder.

Weights are int8, symmetric, with one scale per output channel; activations have one scale and zero point per tensor, from
the ranges that the float32 network shows on random images; biases are int32 with the product of both scales. Every
operator stands between quantised tensors, so that an engine can run the whole network in integers:

- batch normalisation is folded into the convolution before it; standing alone it becomes a depthwise 1x1 convolution
  (a scale per channel says its factors exactly);
- a clamp (ReLU, ReLU6) disappears into the range of the tensor: quantising clamps;
- tensors that only moved, were pooled or joined share scale and zero point, because TFLite wants that, and because
  nothing is computed then. A concatenation of clamped and signed tensors keeps the scales of the clamped ones.
"""

import dataclasses

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IMAGES = 4
WEIGHTED = {"Conv": 0, "ConvTranspose": 1, "Gemm": 0}  # the dimension of output channels
SAME_SCALE = {"MaxPool", "AveragePool", "Split", "Reshape", "Transpose", "Flatten"}
LEVELS = 255
FREE = (-np.inf, np.inf)
# Ranges that follow from the function. TFLite fixes the sigmoid's scale at 1 / 256.
KNOWN_RANGES = {"Sigmoid": (0.0, LEVELS / 256), "HardSigmoid": (0.0, 1.0)}


@dataclasses.dataclass
class Node:
    """`constants` follow the inputs and stay as they are (shapes of a Reshape)."""

    op: str
    inputs: list
    outputs: list
    attributes: dict
    weight: np.ndarray = None
    bias: np.ndarray = None
    constants: list = dataclasses.field(default_factory=list)
    clamp: tuple = FREE


class Folded:
    """The graph without batch normalisation and clamps; names of tensors stay those of the float32 graph."""

    def __init__(self, graph):
        self.constants = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
        self.nodes, self.maker, self.readers = [], {}, {}
        for node in graph.node:
            for name in node.input:
                self.readers[name] = self.readers.get(name, 0) + 1
        for node in graph.node:
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "BatchNormalization":
                self.batch_norm(node, attributes)
            elif node.op_type in ("Relu", "Clip"):
                self.clamp(node)
            else:
                self.add(self.plain(node, attributes))

    def add(self, node):
        self.nodes.append(node)
        self.maker.update((name, node) for name in node.outputs)

    def plain(self, node, attributes):
        inputs = [name for name in node.input if name not in self.constants]
        known = [name for name in node.input if name in self.constants]
        made = Node(node.op_type, inputs, list(node.output), attributes)
        if node.op_type in WEIGHTED:
            made.weight = self.constants[known[0]]
            outputs = made.weight.shape[WEIGHTED[node.op_type]]
            made.bias = self.constants[known[1]] if len(known) > 1 else np.zeros(outputs, np.float32)
        else:
            made.constants = known
        return made

    def rename(self, name, new):
        """The only reader of the node's result gives it its own name."""
        node = self.maker.pop(name)
        if self.readers[name] != 1 or node.clamp != FREE:
            raise ValueError(f"{new}: {name} is read elsewhere too or clamped twice")
        node.outputs = [new]
        self.maker[new] = node
        return node

    def batch_norm(self, node, attributes):
        gamma, beta, mean, variance = (self.constants[name].astype(np.float64) for name in node.input[1:])
        scale = gamma / np.sqrt(variance + attributes.get("epsilon", 1e-5))
        shift = beta - mean * scale
        before = self.maker.get(node.input[0])
        if before and before.op == "Conv" and self.readers[node.input[0]] == 1:
            before = self.rename(node.input[0], node.output[0])
            before.weight = before.weight * scale[:, None, None, None]
            before.bias = before.bias * scale + shift
        else:
            self.add(Node("Conv", [node.input[0]], [node.output[0]], {"kernel_shape": [1, 1], "group": len(scale)},
                          scale[:, None, None, None], shift))

    def clamp(self, node):
        before = self.rename(node.input[0], node.output[0])
        limits = [self.constants[name].item() for name in node.input[1:]]
        before.clamp = tuple(limits) if limits else (0.0, np.inf)


def calibrate(model, names, images):
    """{name: (minimum, maximum)} over all images, zero included."""
    import onnxruntime

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    source = model.graph.input[0].name
    present = {source, *(o.name for o in watched.graph.output)}
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in present)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(watched.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs = [o.name for o in session.get_outputs()]
    ranges = dict.fromkeys(names, (0.0, 0.0))
    for image in images:
        for name, array in [(source, image), *zip(outputs, session.run(outputs, {source: image}))]:
            ranges[name] = (min(ranges[name][0], float(array.min())), max(ranges[name][1], float(array.max())))
    return ranges


class Groups:
    """Tensors of one scale and zero point (union-find)."""

    def __init__(self, nodes):
        self.parent, self.nonnegative = {}, {}
        for node in nodes:
            for name in [*node.inputs, *node.outputs]:
                self.parent.setdefault(name, name)
                self.nonnegative.setdefault(name, False)
            self.nonnegative[node.outputs[0]] = node.clamp[0] == 0
        for node in nodes:
            if node.op in SAME_SCALE:
                self.join(node.inputs[0], node.outputs)
        for node in nodes:
            if node.op == "Concat":
                every = all(self.nonnegative[self.root(name)] for name in node.inputs)
                self.join(node.outputs[0], [n for n in node.inputs if every or not self.nonnegative[self.root(n)]])

    def root(self, name):
        while self.parent[name] != name:
            name = self.parent[name]
        return name

    def join(self, first, others):
        for other in others:
            a, b = self.root(first), self.root(other)
            self.parent[b] = a
            self.nonnegative[a] = self.nonnegative[a] or self.nonnegative[b]


def parameters(low, high):
    """(scale, zero point of int8). A scale of 12 bits: another library's last bit does not change the model."""
    fraction, exponent = np.frexp(max(high - low, 1e-6) / LEVELS)
    scale = float(np.ldexp(np.ceil(fraction * 4096) / 4096, exponent))
    return scale, int(np.clip(np.rint(-128 - low / scale), -128, 127))


def tensor_parameters(folded, ranges):
    groups, spans, clamps = Groups(folded.nodes), {}, {}
    for name, span in ranges.items():
        root = groups.root(name)
        before = spans.get(root, (0.0, 0.0))
        spans[root] = (min(before[0], span[0]), max(before[1], span[1]))
    for node in folded.nodes:
        if node.op in KNOWN_RANGES:
            spans[groups.root(node.outputs[0])] = KNOWN_RANGES[node.op]
        clamps[node.outputs[0]] = node.clamp
    result = {name: parameters(*spans[groups.root(name)]) for name in ranges}
    for name, (low, high) in clamps.items():
        scale, zero = result[name]
        if (low == 0 and zero != -128) or (127 - zero) * scale > high + scale / 2:
            raise ValueError(f"{name}: the range of its quantised values does not clamp it")
    return result


class Writer:
    """Activations are stored as uint8: onnxruntime is up to 2.5 times slower with int8 ones on x86, others do not care."""

    def __init__(self):
        self.nodes, self.initializers, self.parameters = [], [], {}

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def activation(self, name, scale, zero):
        self.parameters[name] = scale
        both = [self.constant(f"{name}_scale", np.float32(scale)), self.constant(f"{name}_zero", np.uint8(zero + 128))]
        self.nodes.append(helper.make_node("QuantizeLinear", [name, *both], [f"{name}_q"], name=f"{name}_q"))
        self.nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", *both], [f"{name}_dq"], name=f"{name}_dq"))

    def integers(self, name, array, scale, axis):
        inputs = [self.constant(f"{name}_q", array), self.constant(f"{name}_scale", scale),
                  self.constant(f"{name}_zero", np.zeros(len(scale), array.dtype))]
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [name], name=name, axis=axis))
        return name

    def weights(self, node):
        axis = WEIGHTED[node.op]
        weight = np.moveaxis(np.asarray(node.weight, np.float64), axis, 0)
        largest = np.abs(weight.reshape(len(weight), -1)).max(axis=1)
        scale = (np.where(largest > 0, largest, 1) / 127).astype(np.float32)
        column = scale.astype(np.float64).reshape(-1, *[1] * (weight.ndim - 1))
        quantised = np.clip(np.rint(weight / column), -127, 127).astype(np.int8)
        bias_scale = (self.parameters[node.inputs[0]] * scale.astype(np.float64)).astype(np.float32)
        bias = np.rint(node.bias / bias_scale.astype(np.float64)).astype(np.int32)
        name = node.outputs[0]
        return [self.integers(f"{name}_weight", np.ascontiguousarray(np.moveaxis(quantised, 0, axis)), scale, axis),
                self.integers(f"{name}_bias", bias, bias_scale, 0)]


def quantize(model):
    """The QDQ model of a float32 one."""
    graph = model.graph
    folded = Folded(graph)
    names = [graph.input[0].name, *(name for node in folded.nodes for name in node.outputs)]
    rng = np.random.default_rng(11)
    shape = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim]
    images = [rng.standard_normal(shape, dtype=np.float32) for _ in range(IMAGES)]
    found = tensor_parameters(folded, calibrate(model, names, images))
    writer = Writer()
    writer.activation(names[0], *found[names[0]])
    for node in folded.nodes:
        inputs = [f"{name}_dq" for name in node.inputs]
        if node.weight is not None:
            inputs += writer.weights(node)
        inputs += [writer.constant(name, folded.constants[name]) for name in node.constants]
        writer.nodes.append(helper.make_node(node.op, inputs, node.outputs, name=node.outputs[0], **node.attributes))
        for name in node.outputs:
            writer.activation(name, *found[name])
    output = onnx.ValueInfoProto()
    output.CopyFrom(graph.output[0])
    output.name += "_dq"
    made = helper.make_model(helper.make_graph(writer.nodes, graph.name, graph.input, [output], writer.initializers),
                             opset_imports=model.opset_import, producer_name=model.producer_name)
    made.ir_version = model.ir_version
    onnx.checker.check_model(made)
    return made
