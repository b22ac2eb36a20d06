#!/usr/bin/env python3
"""Writes a small QDQ network as ONNX, an input, and the floats that docs/quantization.md makes of it, with nothing but
the standard library: qdq_model.py OUT.onnx INPUT.npy EXPECTED

x [1, 3, 8, 8] -> Conv 3x3 to 4 channels -> Relu, uint8 activations, int8 weights with a scale per channel -> y.
"""

import struct
import sys

FLOAT, UINT8, INT8, INT32 = 1, 2, 3, 6
INT, INTS = 2, 7
SIZE, CHANNELS, OUTPUTS = 8, 3, 4
INPUT_SCALE, OUTPUT_SCALE = 1 / 128, 1 / 16
SCALES = [0.01, 0.02, 0.005, 0.015]
WEIGHTS = [(i * 37 + 11) % 255 - 127 for i in range(OUTPUTS * CHANNELS * 9)]
BIAS = [100, -200, 300, 0]
PIXELS = [i * 37 % 255 - 127 for i in range(CHANNELS * SIZE * SIZE)]  # the input as integers


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """A protobuf field: integers as they are, everything else by its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(number, values):
    return b"".join(field(number, v) for v in values)


def tensor(name, dtype, dims, form, values):
    raw = struct.pack(f"<{len(values)}{form}", *values)
    return fields(1, dims) + field(2, dtype) + field(8, name) + field(9, raw)


def node(op, inputs, output, attributes=b""):
    return fields(1, inputs) + field(2, output) + field(4, op) + attributes


def ints(name, values):
    return field(5, field(1, name) + fields(8, values) + field(20, INTS))


def axis(value):
    return field(5, field(1, "axis") + field(3, value) + field(20, INT))


def value_info(name, dims):
    shape = b"".join(field(1, field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, shape)))


def activation(name, source):
    scale = [f"{name}_scale", f"{name}_zero"]
    return [node("QuantizeLinear", [source, *scale], f"{name}_q"), node("DequantizeLinear", [f"{name}_q", *scale], name)]


def model():
    constants = [
        tensor("a_scale", FLOAT, [], "f", [INPUT_SCALE]),
        tensor("a_zero", UINT8, [], "B", [128]),
        tensor("b_scale", FLOAT, [], "f", [OUTPUT_SCALE]),
        tensor("b_zero", UINT8, [], "B", [0]),
        tensor("w_q", INT8, [OUTPUTS, CHANNELS, 3, 3], "b", WEIGHTS),
        tensor("w_scale", FLOAT, [OUTPUTS], "f", SCALES),
        tensor("w_zero", INT8, [OUTPUTS], "b", [0] * OUTPUTS),
        tensor("bias_q", INT32, [OUTPUTS], "i", BIAS),
        tensor("bias_scale", FLOAT, [OUTPUTS], "f", [s * INPUT_SCALE for s in SCALES]),
        tensor("bias_zero", INT32, [OUTPUTS], "i", [0] * OUTPUTS),
    ]
    nodes = [
        *activation("a", "x"),
        node("DequantizeLinear", ["w_q", "w_scale", "w_zero"], "w", axis(0)),
        node("DequantizeLinear", ["bias_q", "bias_scale", "bias_zero"], "bias", axis(0)),
        node("Conv", ["a", "w", "bias"], "conv", ints("pads", [1, 1, 1, 1])),
        node("Relu", ["conv"], "relu"),
        *activation("b", "relu"),
        node("Identity", ["b"], "y"),
    ]
    graph = fields(1, nodes) + field(2, "qdq") + fields(5, constants)
    graph += field(11, value_info("x", [1, CHANNELS, SIZE, SIZE])) + field(12, value_info("y", [1, OUTPUTS, SIZE, SIZE]))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def output(channel, y, x):
    total = BIAS[channel]
    for c in range(CHANNELS):
        for ky in range(3):
            for kx in range(3):
                iy, ix = y + ky - 1, x + kx - 1
                if 0 <= iy < SIZE and 0 <= ix < SIZE:
                    total += PIXELS[(c * SIZE + iy) * SIZE + ix] * WEIGHTS[((channel * CHANNELS + c) * 3 + ky) * 3 + kx]
    multiplier = float32(INPUT_SCALE * float32(SCALES[channel]) / OUTPUT_SCALE)
    return min(max(round(float32(total * multiplier)), 0), 255) * OUTPUT_SCALE


def npy(shape, values):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)
    header += " " * (117 - len(header)) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + floats(values)


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


def main():
    outputs = [output(c, y, x) for c in range(OUTPUTS) for y in range(SIZE) for x in range(SIZE)]
    files = [model(), npy((1, CHANNELS, SIZE, SIZE), [p * INPUT_SCALE for p in PIXELS]), floats(outputs)]
    for path, content in zip(sys.argv[1:], files):
        with open(path, "wb") as f:
            f.write(content)


main()
