"""The networks of the benchmark, as their papers describe them, with random weights."""

from .graph import Graph


def mobilenet_v1():
    """Howard et al. 2017, width 1.0."""
    g = Graph("mobilenet_v1", 224)
    x = g.conv(g.input, 32, 3, 2, (0, 0, 1, 1), "relu6")
    rows = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    for channels, stride in rows:
        x = g.conv(g.same_depthwise(x, stride, "relu6"), channels, act="relu6")
    return g, g.dense(g.global_pool(x), 1000)


def mobilenet_v2():
    """Sandler et al. 2018, table 2."""
    g = Graph("mobilenet_v2", 224)
    x = g.conv(g.input, 32, 3, 2, (0, 0, 1, 1), "relu6")
    for expand, channels, repeat, first_stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                                   (6, 160, 3, 2), (6, 320, 1, 1)]:
        for i in range(repeat):
            stride = first_stride if i == 0 else 1
            y = g.conv(x, g.shape[x][0] * expand, act="relu6") if expand > 1 else x
            y = g.conv(g.same_depthwise(y, stride, "relu6"), channels, act=None)
            x = g.add(x, y) if stride == 1 and g.shape[x][0] == channels else y
    return g, g.dense(g.global_pool(g.conv(x, 1280, act="relu6")), 1000)


def mobilenet_v3_large():
    """Howard et al. 2019, table 1, with batch normalisation unfolded as frameworks export it."""
    g = Graph("mobilenet_v3_large", 224)
    relu, swish = "relu", "hard_swish"
    x = g.conv(g.input, 16, 3, 2, act=swish, norm=True)
    for kernel, expand, channels, excite, act, stride in [
            (3, 16, 16, False, relu, 1), (3, 64, 24, False, relu, 2), (3, 72, 24, False, relu, 1),
            (5, 72, 40, True, relu, 2), (5, 120, 40, True, relu, 1), (5, 120, 40, True, relu, 1),
            (3, 240, 80, False, swish, 2), (3, 200, 80, False, swish, 1), (3, 184, 80, False, swish, 1),
            (3, 184, 80, False, swish, 1), (3, 480, 112, True, swish, 1), (3, 672, 112, True, swish, 1),
            (5, 672, 160, True, swish, 2), (5, 960, 160, True, swish, 1), (5, 960, 160, True, swish, 1)]:
        y = g.conv(x, expand, act=act, norm=True) if expand != g.shape[x][0] else x
        y = g.depthwise(y, kernel, stride, act=act, norm=True)
        if excite:
            squeezed = max(8, (expand // 4 + 4) // 8 * 8)
            y = g.squeeze_excite(y, squeezed, "relu", "hard_sigmoid")
        y = g.conv(y, channels, act=None, norm=True)
        x = g.add(x, y) if stride == 1 and g.shape[x][0] == channels else y
    x = g.global_pool(g.conv(x, 960, act=swish, norm=True))
    return g, g.dense(g.conv(x, 1280, act=swish), 1000)


def efficientnet_b0():
    """Tan and Le 2019, table 1."""
    g = Graph("efficientnet_b0", 224)
    x = g.conv(g.input, 32, 3, 2, act="silu", norm=True)
    for expand, kernel, channels, repeat, first_stride in [(1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2),
                                                           (6, 3, 80, 3, 2), (6, 5, 112, 3, 1), (6, 5, 192, 4, 2),
                                                           (6, 3, 320, 1, 1)]:
        for i in range(repeat):
            stride, inputs = first_stride if i == 0 else 1, g.shape[x][0]
            y = g.conv(x, inputs * expand, act="silu", norm=True) if expand > 1 else x
            y = g.depthwise(y, kernel, stride, act="silu", norm=True)
            y = g.squeeze_excite(y, max(1, inputs // 4), "silu", "sigmoid")
            y = g.conv(y, channels, act=None, norm=True)
            x = g.add(x, y) if stride == 1 and inputs == channels else y
    return g, g.dense(g.global_pool(g.conv(x, 1280, act="silu", norm=True)), 1000)


def squeezenet_v11():
    """Iandola et al. 2016, version 1.1."""
    g = Graph("squeezenet_v11", 224)

    def fire(x, squeeze, expand):
        x = g.conv(x, squeeze)
        return g.concat([g.conv(x, expand), g.conv(x, expand, 3)])

    x = g.pool(g.conv(g.input, 64, 3, 2, 0), 3, 2, ceil=True)
    x = g.pool(fire(fire(x, 16, 64), 16, 64), 3, 2, ceil=True)
    x = g.pool(fire(fire(x, 32, 128), 32, 128), 3, 2, ceil=True)
    for squeeze, expand in [(48, 192), (48, 192), (64, 256), (64, 256)]:
        x = fire(x, squeeze, expand)
    return g, g.global_pool(g.conv(x, 1000))


def shufflenet_v2():
    """Ma et al. 2018, width 1.0."""
    g = Graph("shufflenet_v2", 224)
    x = g.pool(g.conv(g.input, 24, 3, 2), 3, 2, 1)
    for channels, repeat in [(116, 4), (232, 8), (464, 4)]:
        half = channels // 2
        for i in range(repeat):
            if i == 0:
                a = g.conv(g.depthwise(x, stride=2, act=None), half)
                b = g.conv(g.depthwise(g.conv(x, half), stride=2, act=None), half)
            else:
                a, b = g.split_half(x)
                b = g.conv(g.depthwise(g.conv(b, half), act=None), half)
            x = g.shuffle(g.concat([a, b]), 2)
    return g, g.dense(g.global_pool(g.conv(x, 1024)), 1000)


def _resnet(name, repeats, bottleneck):
    g = Graph(name, 224)
    x = g.pool(g.conv(g.input, 64, 7, 2), 3, 2, 1)
    for stage, repeat in enumerate(repeats):
        width = 64 << stage
        outputs = width * (4 if bottleneck else 1)
        for i in range(repeat):
            stride = 2 if stage and i == 0 else 1
            if bottleneck:
                y = g.conv(g.conv(g.conv(x, width), width, 3, stride), outputs, act=None)
            else:
                y = g.conv(g.conv(x, width, 3, stride), width, 3, act=None)
            shortcut = x if stride == 1 and g.shape[x][0] == outputs else g.conv(x, outputs, 1, stride, 0, None)
            x = g.add(y, shortcut, "relu")
    return g, g.dense(g.global_pool(x), 1000)


def resnet18():
    """He et al. 2016."""
    return _resnet("resnet18", [2, 2, 2, 2], False)


def resnet50():
    """He et al. 2016, stride in the 3x3 convolution."""
    return _resnet("resnet50", [3, 4, 6, 3], True)


def densenet121():
    """Huang et al. 2017, with its normalisation before each convolution."""
    g = Graph("densenet121", 224)
    norm_relu = lambda x: g.activation(g.batch_norm(x), "relu")
    x = g.pool(g.conv(g.input, 64, 7, 2), 3, 2, 1)
    for block, repeat in enumerate([6, 12, 24, 16]):
        for _ in range(repeat):
            x = g.concat([x, g.conv(g.conv(norm_relu(x), 128), 32, 3, act=None)])
        x = norm_relu(x)
        if block < 3:
            x = g.pool(g.conv(x, g.shape[x][0] // 2, act=None), 2, 2, op="AveragePool")
    return g, g.dense(g.global_pool(x), 1000)


def unet256():
    """Ronneberger et al. 2015, padded, widths 32 to 512, two classes."""
    g = Graph("unet256", 256)
    pair = lambda x, channels: g.conv(g.conv(x, channels, 3), channels, 3)
    x, skips = g.input, []
    for level in range(4):
        x = pair(x, 32 << level)
        skips.append(x)
        x = g.pool(x, 2, 2)
    x = pair(x, 512)
    for level in (3, 2, 1, 0):
        x = pair(g.concat([g.up_conv(x, 32 << level), skips[level]]), 32 << level)
    return g, g.conv(x, 2, act=None)


NETWORKS = {f.__name__: f for f in (mobilenet_v1, mobilenet_v2, mobilenet_v3_large, efficientnet_b0, squeezenet_v11,
                                    shufflenet_v2, resnet18, resnet50, densenet121, unet256)}
