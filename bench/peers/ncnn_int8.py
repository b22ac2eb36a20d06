"""ncnn's int8 form of a float32 network: what its tools ncnn2table and ncnn2int8 do, which are in no wheel.

Symmetric, as ncnn computes: a factor per output channel, one for what a layer reads, each 127 / the largest magnitude.
What is read comes from ncnn's own run of the float32 network. Convolutions and fully connected layers become int8 (ncnn
has no more int8 layers); between two convolutions the values stay int8, elsewhere ncnn goes through float32.
"""

import dataclasses
import struct

import ncnn
import numpy as np

INT8_TAG = 0x000D4B38
SIZE = {"Convolution": 6, "ConvolutionDepthWise": 6, "Deconvolution": 6, "InnerProduct": 2}  # parameter: number of weights
BIAS = {"Convolution": 5, "ConvolutionDepthWise": 5, "Deconvolution": 5, "InnerProduct": 1}
TERM = {"Convolution": 2, "ConvolutionDepthWise": 1, "InnerProduct": 2}  # values of parameter 8
CONVOLUTIONS = ("Convolution", "ConvolutionDepthWise")


@dataclasses.dataclass
class Layer:
    kind: str
    name: str
    inputs: list
    outputs: list
    parameters: dict
    blob: bytes = b""
    weight: np.ndarray = None
    bias: np.ndarray = None
    reads: float = None
    writes: float = None


def parse(text, data):
    """The layers with their weights."""
    layers, position = [], 0
    for line in text.splitlines()[2:]:
        words = line.split()
        split = 4 + int(words[2])
        end = split + int(words[3])
        parameters = dict(word.split("=", 1) for word in words[end:])
        layer = Layer(words[0], words[1], words[4:split], words[split:end], {int(k): v for k, v in parameters.items()})
        layers.append(layer)
        if layer.kind in SIZE:
            count, outputs = int(layer.parameters[SIZE[layer.kind]]), int(layer.parameters[0])
            if struct.unpack_from("<I", data, position) != (0,):
                raise ValueError(f"{layer.name}: the weights are not float32")
            layer.weight = np.frombuffer(data, "<f4", count, position + 4).reshape(outputs, -1)
            has_bias = layer.parameters.get(BIAS[layer.kind]) == "1"
            layer.bias = np.frombuffer(data, "<f4", outputs if has_bias else 0, position + 4 + 4 * count)
            end = position + 4 + 4 * (count + len(layer.bias))
        else:
            end = position + (16 * int(layer.parameters[0]) if layer.kind == "BatchNorm" else 0)
        layer.blob, position = data[position:end], end
    if position != len(data):
        raise ValueError(f"{len(data) - position} bytes of weights belong to no layer")
    return layers


def calibrate(net, layers, images):
    """The factor of what each layer reads."""
    largest = dict.fromkeys((layer.inputs[0] for layer in layers), 0.0)
    for image in images:
        extractor = net.create_extractor()
        extractor.set_light_mode(False)
        extractor.input(net.input_names()[0], ncnn.Mat(image[0]).clone())
        for name in largest:
            _, values = extractor.extract(name)
            largest[name] = max(largest[name], float(np.abs(np.array(values)).max()))
    for layer in layers:
        layer.reads = 127 / max(largest[layer.inputs[0]], 1e-6)


def keep_int8(layers):
    """A convolution whose result only convolutions read writes int8 for them."""
    readers = {}
    for layer in layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer)
    for layer in layers:
        following = readers.get(layer.outputs[0], [])
        if [f.kind for f in following] == ["Split"]:
            following = [f for name in following[0].outputs for f in readers[name]]
        if layer.kind in CONVOLUTIONS and following and all(f.kind in CONVOLUTIONS for f in following):
            layer.writes = following[0].reads


def int8_blob(layer):
    factors = (127 / np.maximum(np.abs(layer.weight).max(axis=1), 1e-12)).astype("<f4")
    weight = np.clip(np.rint(layer.weight * factors[:, None]), -127, 127).astype(np.int8).tobytes()
    scales = [*factors, layer.reads] + ([layer.writes] if layer.writes else [])
    tagged = struct.pack("<I", INT8_TAG) + weight + bytes(-len(weight) % 4)
    return tagged + layer.bias.tobytes() + np.array(scales, "<f4").tobytes()


def line(layer):
    words = [layer.kind, layer.name, len(layer.inputs), len(layer.outputs), *layer.inputs, *layer.outputs]
    return " ".join(map(str, words + [f"{key}={value}" for key, value in layer.parameters.items()]))


def quantize(net, param, weights, images):
    """Replaces the two files of the loaded float32 net by those of its int8 form."""
    text = param.read_text()
    layers = parse(text, weights.read_bytes())
    chosen = [layer for layer in layers if layer.kind in TERM]
    calibrate(net, chosen, images)
    keep_int8(layers)
    for layer in chosen:
        layer.parameters[8] = TERM[layer.kind] + (100 if layer.writes else 0)
        layer.blob = int8_blob(layer)
    param.write_text("\n".join([*text.splitlines()[:2], *map(line, layers)]) + "\n")
    weights.write_bytes(b"".join(layer.blob for layer in layers))
