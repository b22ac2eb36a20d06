"""Writes the lowered graph for xnnpack_runner.c: little-endian words, see the head of that file."""

import struct

import numpy as np

from engines.base import Unsupported
from lower import Lowered, Op

MAGIC = 0x314E4E58
NONE = 0xFFFFFFFF
INTERNAL, INPUT, OUTPUT, STATIC = range(4)
FLOAT32, INT8, INT32 = range(3)
ARRAYS = {np.dtype(np.int8): INT8, np.dtype(np.int32): INT32}
# In the order of the runner's enum. Debian's XNNPACK of 2022 has no concatenation, split or transpose.
KINDS = ("conv", "depthwise", "up_conv", "dense", "add", "mul", "max_pool", "average_pool", "global_pool", "clamp",
         "hard_swish", "sigmoid", "reshape", "convert")


def write(onnx_path, path):
    graph = Lowered(onnx_path)
    missing = sorted({op.kind for op in graph.ops} - set(KINDS))
    if missing:
        raise Unsupported(f"XNNPACK's subgraph API of 2022 has no {', '.join(missing)}")
    values, ids, nodes = [], {}, []

    def value(role, shape, array=None, scales=(), zero=0, axis=0):
        """A value with scales is quantised, as its array says, or as an int8 tensor."""
        kind = FLOAT32 if not len(scales) else INT8 if array is None else ARRAYS[array.dtype]
        data = b"" if array is None else np.ascontiguousarray(array).tobytes()
        head = struct.pack("<10IiI", role, kind, axis, len(shape), *shape, *[0] * (6 - len(shape)), zero, len(scales))
        values.append(head + np.asarray(scales, "<f4").tobytes() + data + bytes(-len(data) % 4))
        return len(values) - 1

    def tensor(role, name):
        scale, zero = graph.quantization.get(name, (None, 0))
        return value(role, (1, *graph.shape[name]), None, () if scale is None else (scale,), zero)

    def named(name):
        if name not in ids:
            if name in graph.constants:
                ids[name] = value(STATIC, graph.shape[name], graph.constants[name], graph.quantization.get(name, ())[:1])
            else:
                outer = {graph.input: INPUT, graph.output: OUTPUT}.get(name, INTERNAL)
                ids[name] = tensor(INTERNAL if graph.quantization else outer, name)
        return ids[name]

    def node(kind, inputs, output, op):
        inputs = inputs + [NONE] * (3 - len(inputs))
        nodes.append(struct.pack("<13I2f", KINDS.index(kind), *inputs, output, *op.kernel, *op.strides, *op.pads, *op.clamp))

    def weights(op):
        if op.weight is None:
            return []
        if op.scales is None:
            return [value(STATIC, a.shape, a) for a in (op.weight, op.bias)]
        bias = graph.quantization[op.inputs[0]][0] * op.scales.astype(np.float64)
        return [value(STATIC, op.weight.shape, op.weight, op.scales, 0, 3 if op.kind == "depthwise" else 0),
                value(STATIC, op.bias.shape, op.bias, bias)]

    def point_conv(op):
        """Its fully connected operator of 2022 takes one scale for all channels: a 1x1 convolution of one point instead."""
        source, result = op.inputs[0], op.outputs[0]
        planes = [value(INTERNAL, (1, 1, 1, *graph.shape[name]), None, graph.quantization[name][:1], graph.quantization[name][1])
                  for name in (source, result)]
        op.weight = op.weight[:, None, None, :]
        node("reshape", [named(source)], planes[0], op)
        node("conv", [planes[0], *weights(op)], planes[1], op)
        node("reshape", [planes[1]], named(result), op)

    if graph.quantization:
        node("convert", [value(INPUT, (1, *graph.shape[graph.input]))], named(graph.input), Op("convert", [], []))

    for op in graph.ops:
        if op.kind == "dense" and graph.quantization:
            point_conv(op)
        else:
            node(op.kind, [named(name) for name in op.inputs] + weights(op), named(op.outputs[0]), op)
    if graph.quantization:
        node("convert", [named(graph.output)], value(OUTPUT, (1, *graph.shape[graph.output])), Op("convert", [], []))
    with open(path, "wb") as file:
        file.write(struct.pack("<3I", MAGIC, len(values), len(nodes)) + b"".join(values) + b"".join(nodes))
