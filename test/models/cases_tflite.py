"""One model for each way in which a TFLite operator can be written."""

import itertools

import numpy as np

from tflite_net import Const, Net, ints, refused, single

ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}
SAME, VALID = 0, 1


def random(*shape, scale=1.0, seed=None):
    seed = sum((i + 1) * d for i, d in enumerate(shape)) if seed is None else seed
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def const(*shape, scale=0.5, seed=None):
    return Const(random(*shape, scale=scale, seed=seed))


# --------------------------------------------------------------------------------------------------- convolutions


def conv(name, x, w, **fields):
    fields = {"padding": SAME, "strideH": 1, "strideW": 1, **fields}
    return single(f"CONV_2D {name}", "CONV_2D", random(*x), const(*w), const(w[0]), options="Conv2DOptions", **fields)


def depthwise(name, x, w, **fields):
    fields = {"padding": SAME, "strideH": 1, "strideW": 1, "depthMultiplier": w[3] // x[3], **fields}
    return single(f"DEPTHWISE_CONV_2D {name}", "DEPTHWISE_CONV_2D", random(*x), const(*w), const(w[3]),
                  options="DepthwiseConv2DOptions", **fields)


def convolutions():
    sizes = [(8, 9), (7, 7), (5, 6), (6, 1)]
    for (h, w), stride, padding, kernel in itertools.product(sizes, (1, 2, 3), (SAME, VALID), ((3, 3), (1, 1), (2, 5))):
        if padding == VALID and (kernel[0] > h or kernel[1] > w):
            continue
        label = f"{h}x{w} stride {stride} {'SAME' if padding == SAME else 'VALID'} kernel {kernel[0]}x{kernel[1]}"
        fields = {"padding": padding, "strideH": stride, "strideW": stride}
        yield conv(label, (2, h, w, 5), (7, *kernel, 5), **fields)
        yield depthwise(label, (2, h, w, 6), (1, *kernel, 6), **fields)
    for name, code in ACTIVATIONS.items():
        yield conv(f"activation {name}", (1, 6, 6, 8), (16, 3, 3, 8), fusedActivationFunction=code)
        yield depthwise(f"activation {name}", (1, 6, 6, 8), (1, 3, 3, 8), fusedActivationFunction=code)
    yield conv("strides 1 and 2", (1, 9, 8, 3), (4, 3, 3, 3), strideH=1, strideW=2)
    yield conv("dilation 2", (1, 9, 11, 3), (4, 3, 3, 3), dilationHFactor=2, dilationWFactor=3)
    yield conv("dilation 2 VALID", (1, 9, 11, 3), (4, 3, 3, 3), padding=VALID, dilationHFactor=2, dilationWFactor=3)
    yield conv("groups", (1, 6, 7, 8), (12, 3, 3, 2))
    yield conv("1x1 of many channels", (1, 5, 5, 40), (24, 1, 1, 40), fusedActivationFunction=3)
    yield depthwise("dilation 2", (1, 9, 11, 6), (1, 3, 3, 6), dilationHFactor=2, dilationWFactor=2)
    yield depthwise("multiplier 2", (1, 6, 7, 5), (1, 3, 3, 10), strideH=2, strideW=2)
    yield depthwise("multiplier 8 of one channel", (1, 6, 7, 1), (1, 3, 3, 8))
    yield refused(depthwise("multiplier 0", (1, 6, 7, 5), (1, 3, 3, 10), depthMultiplier=0), "depth_multiplier")
    yield refused(conv("stride 0", (1, 6, 6, 3), (4, 3, 3, 3), strideH=0), "stride")
    yield refused(conv("channels", (1, 6, 6, 5), (4, 3, 3, 3)), "weights")
    yield refused(conv("tanh", (1, 6, 6, 3), (4, 3, 3, 3), fusedActivationFunction=4), "activation 4")
    net = Net("CONV_2D bias of another shape")
    yield net.output(net.node("CONV_2D", net.input(random(1, 4, 4, 3)), const(6, 3, 3, 3), const(1, 1, 1, 6),
                              options="Conv2DOptions", strideH=1, strideW=1))
    half = Const(random(6, 3, 3, 3).astype(np.float16)), Const(random(6).astype(np.float16))
    net = Net("CONV_2D float16 weights")
    weights = [net.node("DEQUANTIZE", h, options="DequantizeOptions") for h in half]
    yield net.output(net.node("CONV_2D", net.input(random(1, 4, 4, 3)), *weights, options="Conv2DOptions", strideH=1, strideW=1))


def transposed():
    for (h, w), stride, padding, kernel in itertools.product([(4, 5), (1, 3)], (1, 2, 3), (SAME, VALID), (2, 3, 4)):
        out = [n * stride if padding == SAME else (n - 1) * stride + max(kernel, stride) for n in (h, w)]
        if padding == SAME and kernel < stride:
            continue
        label = f"{h}x{w} stride {stride} {'SAME' if padding == SAME else 'VALID'} kernel {kernel}"
        for bias in (False, True):
            operands = [ints(2, *out, 6), const(6, kernel, kernel, 4), random(2, h, w, 4)] + ([const(6)] if bias else [])
            yield single(f"TRANSPOSE_CONV {label}{' bias' if bias else ''}", "TRANSPOSE_CONV", *operands,
                         options="TransposeConvOptions", version=3, padding=padding, strideH=stride, strideW=stride,
                         fusedActivationFunction=1 if bias else 0)
    yield single("TRANSPOSE_CONV odd output", "TRANSPOSE_CONV", ints(1, 9, 7, 3), const(3, 3, 3, 4), random(1, 5, 4, 4),
                 options="TransposeConvOptions", padding=SAME, strideH=2, strideW=2)
    yield refused(single("TRANSPOSE_CONV shape", "TRANSPOSE_CONV", ints(1, 9, 7, 5), const(3, 3, 3, 4), random(1, 5, 4, 4),
                         options="TransposeConvOptions", padding=SAME, strideH=2, strideW=2), "output_shape")


def dilated():
    """Blocks of pixels in the batch around a convolution, and on their own."""
    for name, size, block, pads, crops in (("exact", (8, 12), 2, (2, 2, 2, 2), (0, 0, 0, 0)), ("crops", (7, 9), 2, (2, 3, 2, 3), (0, 1, 0, 1)),
                                           ("no pads", (10, 15), 5, (0, 0, 0, 0), (0, 0, 0, 0)), ("more crops", (8, 8), 2, (1, 1, 1, 1), (1, 1, 0, 2))):
        for depth in (False, True):
            net = Net(f"SPACE_TO_BATCH_ND, {'depthwise ' if depth else ''}convolution, BATCH_TO_SPACE_ND {name}")
            x = net.input(random(1, *size, 4))
            kernel = 2 if name == "no pads" else 3
            blocks, pad, crop = ints(block, block), Const(np.reshape(pads, (2, 2)), np.int32), Const(np.reshape(crops, (2, 2)), np.int32)
            t = net.node("SPACE_TO_BATCH_ND", x, blocks, pad)
            if depth:
                t = net.node("DEPTHWISE_CONV_2D", t, const(1, kernel, kernel, 4), const(4), options="DepthwiseConv2DOptions", padding=VALID,
                             strideH=1, strideW=1, depthMultiplier=1, fusedActivationFunction=1)
            else:
                t = net.node("CONV_2D", t, const(6, kernel, kernel, 4), const(6), options="Conv2DOptions", padding=VALID, strideH=1, strideW=1)
            yield net.output(net.node("BATCH_TO_SPACE_ND", t, blocks, crop))
    yield single("SPACE_TO_BATCH_ND", "SPACE_TO_BATCH_ND", random(2, 4, 6, 3), ints(2, 3), Const([[0, 0], [1, 2]], np.int32))
    yield single("BATCH_TO_SPACE_ND", "BATCH_TO_SPACE_ND", random(12, 4, 6, 3), ints(2, 3), Const([[0, 1], [2, 0]], np.int32))


# ------------------------------------------------------------------------------------------------- pools, products


def pools():
    for op, (h, w), stride, padding, kernel in itertools.product(("MAX_POOL_2D", "AVERAGE_POOL_2D"), [(7, 8), (5, 5)], (1, 2),
                                                                 (SAME, VALID), ((2, 2), (3, 2), (5, 5))):
        yield single(f"{op} {h}x{w} stride {stride} padding {padding} kernel {kernel}", op, random(2, h, w, 5) - 2, options="Pool2DOptions",
                     padding=padding, strideH=stride, strideW=stride, filterHeight=kernel[0], filterWidth=kernel[1])
    yield single("AVERAGE_POOL_2D relu", "AVERAGE_POOL_2D", random(1, 4, 4, 3), options="Pool2DOptions", padding=VALID, strideH=1,
                 strideW=1, filterHeight=2, filterWidth=2, fusedActivationFunction=1)
    yield refused(single("MAX_POOL_2D stride 0", "MAX_POOL_2D", random(1, 4, 4, 3), options="Pool2DOptions", filterHeight=2,
                         filterWidth=2), "stride")


def dense(name, x, w, *bias, **fields):
    return single(f"FULLY_CONNECTED {name}", "FULLY_CONNECTED", random(*x), w, *bias, options="FullyConnectedOptions", **fields)


def products():
    yield dense("plain", (3, 10), const(7, 10), const(7))
    yield dense("no bias", (3, 10), const(7, 10), fusedActivationFunction=3)
    yield dense("absent bias", (3, 10), const(7, 10), None)
    yield dense("flattens", (2, 3, 4, 5), const(7, 60), const(7))
    yield dense("many rows", (2, 3, 20), const(7, 10), const(7))
    yield dense("keeps dims", (2, 3, 10), const(7, 10), const(7), keepNumDims=True)
    net = Net("FULLY_CONNECTED weights are an input")
    x, w = net.input(random(3, 10)), net.input(random(7, 10))
    yield net.output(net.node("FULLY_CONNECTED", x, w, const(7), options="FullyConnectedOptions", fusedActivationFunction=1))
    net = Net("FULLY_CONNECTED weights are an input, no bias")
    x, w = net.input(random(3, 10)), net.input(random(7, 10))
    yield net.output(net.node("FULLY_CONNECTED", x, w, None, options="FullyConnectedOptions"))
    yield refused(dense("shuffled weights", (3, 10), const(7, 10), const(7), weightsFormat=1), "shuffled")
    for adj_x, adj_y in itertools.product((False, True), repeat=2):
        a, b = (2, 3, 4)[:1] + ((4, 3) if adj_x else (3, 4)), (2, ) + ((5, 4) if adj_y else (4, 5))
        yield single(f"BATCH_MATMUL adj {adj_x} {adj_y}", "BATCH_MATMUL", random(*a), random(*b), options="BatchMatMulOptions",
                     adjX=adj_x, adjY=adj_y)
        yield single(f"BATCH_MATMUL constant, adj {adj_x} {adj_y}", "BATCH_MATMUL", random(*a), const(*b), options="BatchMatMulOptions",
                     adjX=adj_x, adjY=adj_y)


# ---------------------------------------------------------------------------------------------------- element-wise


def elementwise():
    x = random(2, 5, 6, 7, scale=3.0)
    for op in ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LOGISTIC", "TANH", "HARD_SWISH", "ELU", "EXP", "NEG", "ABS", "FLOOR", "CEIL", "ROUND",
               "SIGN", "SQUARE"):
        yield single(op, op, x)
    for op in ("LOG", "SQRT", "RSQRT"):
        yield single(op, op, np.abs(x) + 0.1)
    yield single("LEAKY_RELU", "LEAKY_RELU", x, options="LeakyReluOptions", alpha=0.3)
    yield single("GELU", "GELU", x, options="GeluOptions", approximate=False)
    yield single("GELU tanh", "GELU", x, options="GeluOptions", approximate=True)
    yield single("PRELU", "PRELU", x, const(1, 1, 7))
    yield single("PRELU per pixel", "PRELU", x, const(5, 6, 7))
    for op, options in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions"), ("DIV", "DivOptions")):
        for name, code in ACTIVATIONS.items():
            yield single(f"{op} {name}", op, x, np.abs(random(2, 5, 6, 7, seed=9)) + 0.5, options=options, fusedActivationFunction=code)
        yield single(f"{op} constant", op, x, Const(np.abs(random(7)) + 0.5), options=options)
        yield single(f"{op} constant first", op, Const(np.abs(random(7)) + 0.5), np.abs(x) + 0.5, options=options)
        yield single(f"{op} scalar", op, x, Const(np.float32(0.75)), options=options)
        yield single(f"{op} broadcast", op, np.abs(random(2, 1, 6, 1)) + 0.5, np.abs(random(5, 1, 7)) + 0.5, options=options)
    whole = np.arange(-6, 6, dtype=np.int32).reshape(3, 4)
    yield single("ADD int32", "ADD", whole, whole[::-1].copy(), dtype=np.int32, options="AddOptions")
    yield refused(single("ADD int32 relu", "ADD", whole, whole[::-1].copy(), dtype=np.int32, options="AddOptions", fusedActivationFunction=1),
                  "integers")
    for op in ("MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE"):
        yield single(op, op, x, const(7), options="MaximumMinimumOptions" if op[0] == "M" else None)
    yield single("FLOOR_DIV", "FLOOR_DIV", x, Const(np.float32([0.5, 1, 2, 3, -1, -2, 4])))
    yield single("POW", "POW", np.abs(x) + 0.1, const(7))
    for op in ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"):
        yield single(op, op, np.round(x), Const(np.round(random(7))), dtype=np.bool_)
    flags = random(3, 4) > 0, random(3, 4, seed=1) > 0
    for op in ("LOGICAL_AND", "LOGICAL_OR"):
        yield single(op, op, *flags, dtype=np.bool_)
    yield single("LOGICAL_NOT", "LOGICAL_NOT", flags[0], dtype=np.bool_)
    yield single("SELECT", "SELECT", flags[0], random(3, 4, seed=2), random(3, 4, seed=3))
    yield single("SELECT_V2 broadcast", "SELECT_V2", flags[0], random(1, 4), Const(np.float32(0.25)))
    yield single("CAST to int32", "CAST", x, dtype=np.int32, options="CastOptions", inDataType=0, outDataType=2)
    yield single("CAST from uint8", "CAST", np.arange(12, dtype=np.uint8).reshape(3, 4), options="CastOptions", inDataType=3, outDataType=0)


def normalisations():
    x = random(2, 3, 4, 9, scale=2.0)
    yield single("SOFTMAX", "SOFTMAX", x, options="SoftmaxOptions", beta=1.0)
    yield single("SOFTMAX beta", "SOFTMAX", random(3, 10), options="SoftmaxOptions", beta=0.5)
    yield refused(single("SOFTMAX beta NaN", "SOFTMAX", random(3, 10), options="SoftmaxOptions", beta=float("nan")), "beta")
    yield single("LOG_SOFTMAX", "LOG_SOFTMAX", random(3, 10))
    yield single("L2_NORMALIZATION", "L2_NORMALIZATION", x, options="L2NormOptions")
    yield single("L2_NORMALIZATION of zeros", "L2_NORMALIZATION", x * 0, options="L2NormOptions")
    net = single("LOCAL_RESPONSE_NORMALIZATION", "LOCAL_RESPONSE_NORMALIZATION", x, options="LocalResponseNormalizationOptions", radius=2,
                 bias=1.5, alpha=0.25, beta=0.75)
    net.optimised = True  # LiteRT's reference kernel leaves out channel c + radius, its other kernel and TensorFlow do not
    yield net
    for op in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"):
        for axes, keep in (((1, 2), True), ((1, 2), False), ((-1, ), False), ((0, 1, 2, 3), False), ((2, 2), True)):
            yield single(f"{op} {axes} keep {keep}", op, x, ints(*axes), options="ReducerOptions", keepDims=keep)
    yield single("MEAN scalar axis", "MEAN", x, Const(np.int32(1)), options="ReducerOptions", keepDims=True)
    yield refused(single("MEAN axis", "MEAN", x, ints(4), options="ReducerOptions"), "axis 4")
    for op in ("ARG_MAX", "ARG_MIN"):
        yield single(op, op, x, Const(np.int32(3)), dtype=np.int64, options=f"Arg{op[4:].title()}Options", outputType=4)
        yield single(f"{op} int32, equal elements", op, np.round(x), ints(-2), dtype=np.int32, options=f"Arg{op[4:].title()}Options", outputType=2)


# ---------------------------------------------------------------------------------------------------------- moves


def joins():
    a, b, c = random(2, 3, 4, 5), random(2, 3, 2, 5), random(2, 3, 4, 5, seed=3)
    for axis in (2, -2):
        yield single(f"CONCATENATION axis {axis}", "CONCATENATION", a, b, const(2, 3, 1, 5), options="ConcatenationOptions", axis=axis)
    yield refused(single("CONCATENATION relu", "CONCATENATION", a, b, options="ConcatenationOptions", axis=2, fusedActivationFunction=1), "activation")
    yield single("CONCATENATION of one", "CONCATENATION", a, options="ConcatenationOptions", axis=2)
    yield refused(single("CONCATENATION axis", "CONCATENATION", a, b, options="ConcatenationOptions", axis=4), "axis 4")
    yield single("PACK", "PACK", a, c, options="PackOptions", axis=1, valuesCount=2)
    yield single("PACK last", "PACK", a, c, options="PackOptions", axis=-1, valuesCount=2)
    yield single("UNPACK", "UNPACK", a, outputs=3, options="UnpackOptions", axis=1, num=3)
    yield single("SPLIT", "SPLIT", ints(3), random(2, 3, 4, 6), outputs=3, options="SplitOptions", numSplits=3)
    yield single("SPLIT negative axis", "SPLIT", Const(np.int32(-2)), a, outputs=2, options="SplitOptions", numSplits=2)
    yield refused(single("SPLIT uneven", "SPLIT", ints(3), a, outputs=2, options="SplitOptions", numSplits=2), "equal parts")
    yield single("SPLIT_V", "SPLIT_V", a, ints(1, -1, 2), ints(3), outputs=3, options="SplitVOptions", numSplits=3)
    yield refused(single("SPLIT_V sizes", "SPLIT_V", a, ints(1, 2, 3), ints(3), outputs=3, options="SplitVOptions", numSplits=3), "sizes add up to 6")
    yield single("SLICE", "SLICE", a, ints(0, 1, 0, 2), ints(2, -1, 3, 2))
    yield refused(single("SLICE range", "SLICE", a, ints(0, 1, 0, 2), ints(2, 3, 3, 2)), "begin")
    for axis in (0, 2, -1):
        yield single(f"GATHER axis {axis}", "GATHER", a, ints(1, 0, 1), options="GatherOptions", axis=axis)
    yield single("GATHER matrix", "GATHER", a, Const([[0, 2], [1, 1]], np.int32), options="GatherOptions", axis=1)
    yield single("GATHER computed", "GATHER", a, np.array([2, 0], np.int32), options="GatherOptions", axis=1)
    yield refused(single("GATHER range", "GATHER", a, ints(3), options="GatherOptions", axis=1), "index 3")
    yield refused(single("GATHER batch", "GATHER", a, Const([[0], [1]], np.int32), options="GatherOptions", axis=1, batchDims=1), "batch_dims")
    yield single("REVERSE_V2", "REVERSE_V2", a, ints(1))


def strided_slices():
    x = random(4, 5, 6, 7)
    for name, begin, end, step, masks in (
        ("plain", (0, 1, 1, 0), (4, 4, 6, 7), (1, 2, 3, 1), {}),
        ("negative", (-3, -4, -2, -7), (-1, -1, 6, -1), (1, 1, 1, 2), {}),
        ("backwards", (3, 4, 5, 6), (0, 0, 1, 2), (-1, -2, -1, -1), {}),
        ("masks", (2, 1, 3, 1), (3, 2, 5, 2), (1, 1, 1, 1), {"beginMask": 5, "endMask": 10}),
        ("backwards masks", (2, 1, 3, 1), (3, 2, 5, 2), (-1, -1, -1, -2), {"beginMask": 15, "endMask": 15}),
        ("beyond", (-9, 0, 0, 0), (99, 99, 99, 99), (1, 1, 1, 1), {}),
        ("shrink", (1, 0, -1, 0), (2, 5, 0, 7), (1, 1, 1, 1), {"shrinkAxisMask": 5}),
        ("short", (1, 2), (3, 4), (1, 1), {}),
        ("ellipsis", (1, 0, 2), (3, 0, 5), (1, 1, 1), {"ellipsisMask": 2}),
        ("new axis", (1, 0, 2), (3, 0, 5), (1, 1, 1), {"newAxisMask": 2}),
        ("offset", (1, 2, 0, 3), (2, 3, 6, 1), (1, 1, 1, 1), {"offset": True}),
    ):
        yield single(f"STRIDED_SLICE {name}", "STRIDED_SLICE", x, ints(*begin), ints(*end), ints(*step), options="StridedSliceOptions", **masks)
    yield refused(single("STRIDED_SLICE stride 0", "STRIDED_SLICE", x, ints(0, 0, 0, 0), ints(1, 1, 1, 1), ints(1, 0, 1, 1),
                         options="StridedSliceOptions"), "stride")


def pads():
    x = random(2, 4, 5, 3)
    inside = Const([[0, 0], [1, 2], [2, 1], [0, 0]], np.int32)
    everywhere = Const([[1, 0], [1, 2], [2, 1], [0, 1]], np.int32)
    yield single("PAD", "PAD", x, inside)
    yield single("PAD everywhere", "PAD", x, everywhere)
    yield single("PADV2", "PADV2", x, inside, Const(np.float32(-1.5)))
    yield single("MIRROR_PAD reflect", "MIRROR_PAD", x, inside, options="MirrorPadOptions", mode=0)
    yield single("MIRROR_PAD symmetric", "MIRROR_PAD", x, inside, options="MirrorPadOptions", mode=1)
    yield refused(single("MIRROR_PAD too far", "MIRROR_PAD", x, Const([[0, 0], [4, 0], [0, 0], [0, 0]], np.int32),
                         options="MirrorPadOptions", mode=0), "RANGE")
    yield refused(single("PAD negative", "PAD", x, Const([[0, 0], [-1, 0], [0, 0], [0, 0]], np.int32)), "RANGE")
    net = Net("PAD, CONV_2D stride 2")
    t = net.node("PAD", net.input(random(1, 8, 8, 3)), Const([[0, 0], [0, 1], [0, 1], [0, 0]], np.int32))
    yield net.output(net.node("CONV_2D", t, const(8, 3, 3, 3), const(8), options="Conv2DOptions", padding=VALID, strideH=2, strideW=2))


def shapes():
    x = random(2, 3, 4, 5)
    yield single("RESHAPE", "RESHAPE", x, ints(6, -1), options="ReshapeOptions", newShape=[6, -1])
    yield single("RESHAPE by option", "RESHAPE", x, options="ReshapeOptions", newShape=[6, 20])
    yield single("RESHAPE by input", "RESHAPE", x, ints(6, 20))
    yield refused(single("RESHAPE mismatch", "RESHAPE", x, ints(6, 21)), "SHAPE")
    yield refused(single("RESHAPE two unknown", "RESHAPE", x, ints(-1, -1)), "SHAPE")
    net = Net("RESHAPE to a scalar")
    yield net.output(net.node("RESHAPE", net.input(random(1, 1)), Const(np.zeros(0, np.int32))))
    yield single("SQUEEZE", "SQUEEZE", random(1, 3, 1, 5), options="SqueezeOptions", squeezeDims=[])
    yield single("SQUEEZE some", "SQUEEZE", random(1, 3, 1, 5), options="SqueezeOptions", squeezeDims=[-2])
    yield refused(single("SQUEEZE not 1", "SQUEEZE", random(1, 3, 1, 5), options="SqueezeOptions", squeezeDims=[1]), "squeeze_dims")
    for axis in (0, 2, -1):
        yield single(f"EXPAND_DIMS {axis}", "EXPAND_DIMS", random(3, 4), Const(np.int32(axis)), options="ExpandDimsOptions")
    yield single("TRANSPOSE", "TRANSPOSE", x, ints(0, 3, 1, 2))
    yield refused(single("TRANSPOSE twice", "TRANSPOSE", x, ints(0, 3, 1, 1)), "twice")
    yield single("TILE", "TILE", x, ints(1, 2, 1, 3))
    yield single("BROADCAST_TO", "BROADCAST_TO", random(3, 1, 5), ints(2, 3, 4, 5), version=2)
    yield single("SPACE_TO_DEPTH", "SPACE_TO_DEPTH", random(2, 4, 6, 3), options="SpaceToDepthOptions", blockSize=2)
    yield single("DEPTH_TO_SPACE", "DEPTH_TO_SPACE", random(2, 4, 6, 12), options="DepthToSpaceOptions", blockSize=2)
    yield refused(single("DEPTH_TO_SPACE block", "DEPTH_TO_SPACE", random(2, 4, 6, 12), options="DepthToSpaceOptions", blockSize=0), "block")
    net = Net("SHAPE, STRIDED_SLICE, PACK, RESHAPE")
    t = net.input(x)
    shape = net.node("SHAPE", t, dtype=np.int32, options="ShapeOptions", outType=2)
    batch = net.node("STRIDED_SLICE", shape, ints(0), ints(1), ints(1), dtype=np.int32, options="StridedSliceOptions", shrinkAxisMask=1)
    target = net.node("PACK", batch, Const(np.int32(-1)), Const(np.int32(5)), dtype=np.int32, options="PackOptions", axis=0, valuesCount=3)
    yield net.output(net.node("RESHAPE", t, target))
    net = Net("an output that is an input")
    yield net.output(net.input(random(2, 3)))
    net = Net("an output that is a constant")
    t = net.node("RELU", net.input(random(2, 3)))
    yield net.output(t, net.constant(const(3)))


def resizes():
    for (h, w), (oh, ow), align, half in itertools.product([(5, 7), (4, 1), (3, 3)], [(10, 14), (3, 4), (5, 7), (1, 1), (9, 1)], (False, True), (False, True)):
        for op, options in (("RESIZE_BILINEAR", "ResizeBilinearOptions"), ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")):
            net = single(f"{op} {h}x{w} to {oh}x{ow} align {align} half {half}", op, random(2, h, w, 3), ints(oh, ow), options=options,
                         alignCorners=align, halfPixelCenters=half)
            yield refused(net, "align_corners") if align and half and op == "RESIZE_BILINEAR" else net


def nearest_ratios():
    """Where LiteRT's products of floats fall beside the exact ratio, and where they do not."""
    for (h, oh), (w, ow) in (((2, 82), (3, 6)), ((2, 41), (2, 47)), ((4, 75), (3, 245)), ((64, 128), (7, 149))):
        for align, half in ((False, False), (True, False), (False, True)):
            yield single(f"RESIZE_NEAREST_NEIGHBOR {h}x{w} to {oh}x{ow} align {align} half {half}", "RESIZE_NEAREST_NEIGHBOR", random(1, h, w, 2),
                         ints(oh, ow), options="ResizeNearestNeighborOptions", alignCorners=align, halfPixelCenters=half)


# --------------------------------------------------------------------------------------------------- dynamic range


def dynamic_range():
    """Weights of 8 bits, computed with as floats. LiteRT quantises the input at run time, which is another result: the comparison
    is with the float model."""
    rng = np.random.default_rng(5)
    w, scale = rng.integers(-127, 128, (7, 9)).astype(np.int8), (rng.random(7) / 64).astype(np.float32)
    operands = (Const(w, scale=scale, zero=[0] * 7), Const(w.astype(np.float32) * scale[:, None]))
    net, real = (single("dynamic range", "FULLY_CONNECTED", random(3, 9), o, const(7), options="FullyConnectedOptions") for o in operands)
    net.like = real
    yield net


# ----------------------------------------------------------------------------------------------- what is refused


def refusals():
    net = Net("custom operator and one that we do not have")
    t = net.node("CUSTOM", net.input(random(1, 4)), custom="TFLite_Detection_PostProcess")
    yield refused(net.output(net.node("SIN", t)), "TFLite_Detection_PostProcess, SIN")
    net = Net("full int16")
    t = net.input(np.zeros((1, 4), np.int16))
    net.quantize(t, [0.5], [0])
    y = net.node("FULLY_CONNECTED", t, Const(np.ones((2, 4), np.int8), scale=0.25, zero=0), dtype=np.int16, options="FullyConnectedOptions")
    net.quantize(y, [0.5], [0])
    yield refused(net.output(y), "'x0': int16 is quantised: only int8 and uint8 are supported (so are 1 more tensors)")
    net = Net("a scale for each channel of an activation")
    t = net.input(np.zeros((1, 4), np.int8))
    net.quantize(t, [0.5, 0.5, 0.5, 0.5], [3, 3, 3, 3], 1)
    yield refused(net.output(net.node("DEQUANTIZE", t, options="DequantizeOptions")), "a scale for each channel")
    net = Net("CAST of quantised numbers")
    t = net.input(np.zeros((1, 4), np.int8))
    net.quantize(t, [0.5], [3])
    yield refused(net.output(net.node("CAST", t, dtype=np.int32, options="CastOptions")), "cast of quantised")
    net = Net("float64")
    yield refused(net.output(net.node("ABS", net.input(np.zeros((1, 4))), dtype=np.float64)), "float64")
    net = Net("float16 activations")
    yield refused(net.output(net.node("ABS", net.input(np.zeros((1, 4), np.float16)), dtype=np.float16)), "float16")
    yield refused(single("IF", "IF", random(1, 4)), "this operator is not supported")


def cases():
    for family in (convolutions, transposed, dilated, pools, products, elementwise, normalisations, joins, strided_slices, pads, shapes, resizes,
                   nearest_ratios, dynamic_range, refusals):
        yield from family()
