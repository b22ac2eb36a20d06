"""Writes the lowered graph for xnnpack_runner.c: little-endian words, see the head of that file."""

import struct

import numpy as np

from engines.base import Unsupported
from lower import Lowered

MAGIC = 0x314E4E58
NONE = 0xFFFFFFFF
INTERNAL, INPUT, OUTPUT, STATIC = range(4)
# In the order of the runner's enum. Debian's XNNPACK of 2022 has no concatenation, split or transpose.
KINDS = ("conv", "depthwise", "up_conv", "dense", "add", "mul", "max_pool", "average_pool", "global_pool", "clamp",
         "hard_swish", "sigmoid", "reshape")


def write(onnx_path, path):
    graph = Lowered(onnx_path)
    missing = sorted({op.kind for op in graph.ops} - set(KINDS))
    if missing:
        raise Unsupported(f"XNNPACK's subgraph API of 2022 has no {', '.join(missing)}")
    values, ids, nodes = [], {}, []

    def value(role, shape, array=None):
        data = b"" if array is None else np.ascontiguousarray(array, np.float32).tobytes()
        values.append(struct.pack("<8I", role, len(shape), *shape, *[0] * (6 - len(shape))) + data)
        return len(values) - 1

    def named(name):
        if name not in ids:
            if name in graph.constants:
                ids[name] = value(STATIC, graph.shape[name], graph.constants[name])
            else:
                role = {graph.input: INPUT, graph.output: OUTPUT}.get(name, INTERNAL)
                ids[name] = value(role, (1, *graph.shape[name]))
        return ids[name]

    for op in graph.ops:
        inputs = [named(name) for name in op.inputs]
        inputs += [value(STATIC, a.shape, a) for a in (op.weight, op.bias) if a is not None]
        inputs += [NONE] * (3 - len(inputs))
        nodes.append(struct.pack("<13I2f", KINDS.index(op.kind), *inputs, named(op.outputs[0]), *op.kernel, *op.strides, *op.pads,
                                 *op.clamp))
    with open(path, "wb") as file:
        file.write(struct.pack("<3I", MAGIC, len(values), len(nodes)) + b"".join(values) + b"".join(nodes))
