"""Prepares the two face models for ONNX Runtime, once, after they were fetched.

usage: prepare_models.py YUNET.onnx SFACE.onnx OUTPUT_FOLDER

The models are OpenCV Zoo's YuNet (detection) and SFace (recognition), with weights quantised in blocks. ONNX Runtime
refuses both as they are. This folds the quantised weights into plain float ones, drops what only matters in training,
and rewrites PReLU, which takes half of SFace's time in ONNX Runtime, into operators that it fuses.
"""

import os
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

# The newest version that every ONNX Runtime since 1.14 reads.
IR_VERSION = 8


def dequantised(node, constants):
    """The float weights of a DequantizeLinear in blocks: (q - zero_point) * scale, each scale for a whole block."""
    quantised, scales, zero_points = (constants[name].astype(np.float32) for name in node.input)
    attributes = {attribute.name: attribute.i for attribute in node.attribute}
    axis, block_size = attributes.get("axis", 1), attributes["block_size"]

    def for_each_weight(values):
        repeated = np.repeat(values, block_size, axis=axis)
        # The last block may be cut short.
        return np.take(repeated, range(quantised.shape[axis]), axis=axis)

    return (quantised - for_each_weight(zero_points)) * for_each_weight(scales)


def fold_weights(graph):
    """Computes every DequantizeLinear of constants, and the Reshape behind it, now instead of at each start."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    folded, rest = {}, []
    for node in graph.node:
        known = {**constants, **folded}
        if node.op_type == "DequantizeLinear" and all(name in constants for name in node.input):
            folded[node.output[0]] = dequantised(node, constants)
        elif node.op_type == "Reshape" and node.input[0] in folded:
            folded[node.output[0]] = folded[node.input[0]].reshape(known[node.input[1]])
        else:
            rest.append(node)
    graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in folded.items())
    replace_nodes(graph, rest)


def drop_dropout(graph):
    """Dropout does nothing outside of training."""
    renamed = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Dropout"}
    rest = [node for node in graph.node if node.op_type != "Dropout"]
    for node in rest:
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)
    replace_nodes(graph, rest)


def rewrite_prelu(graph):
    """PReLU(x) = x * slope + relu(x) * (1 - slope)."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    rest = []
    for node in graph.node:
        if node.op_type != "PRelu":
            rest.append(node)
            continue
        (x, slope_name), output = node.input, node.output[0]
        slope = constants[slope_name].reshape(-1, 1, 1)
        names = {part: f"{output}_{part}" for part in ("slope", "rest", "linear", "relu", "positive")}
        graph.initializer.append(numpy_helper.from_array(slope, names["slope"]))
        graph.initializer.append(numpy_helper.from_array((1 - slope).astype(slope.dtype), names["rest"]))
        rest += [
            helper.make_node("Mul", [x, names["slope"]], [names["linear"]]),
            helper.make_node("Relu", [x], [names["relu"]]),
            helper.make_node("Mul", [names["relu"], names["rest"]], [names["positive"]]),
            helper.make_node("Add", [names["linear"], names["positive"]], [output]),
        ]
    replace_nodes(graph, rest)


def drop_unused(graph):
    """Weights that nothing reads any more, weights that are listed as inputs, and shapes that no longer hold."""
    used = {name for node in graph.node for name in node.input}
    initializers = [tensor for tensor in graph.initializer if tensor.name in used]
    weights = {tensor.name for tensor in initializers}
    inputs = [value for value in graph.input if value.name in used and value.name not in weights]
    del graph.initializer[:], graph.input[:], graph.value_info[:]
    graph.initializer.extend(initializers)
    graph.input.extend(inputs)


def free_picture_size(graph):
    """Lets the picture have any height and width; all outputs follow."""
    height, width = graph.input[0].type.tensor_type.shape.dim[2:]
    height.dim_param, width.dim_param = "height", "width"
    for output in graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"cells_{output.name}"


def replace_nodes(graph, nodes):
    nodes = list(nodes)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


def prepare(source, target, is_detector):
    model = onnx.load(source)
    fold_weights(model.graph)
    drop_dropout(model.graph)
    rewrite_prelu(model.graph)
    drop_unused(model.graph)
    if is_detector:
        free_picture_size(model.graph)
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    unfinished = target + ".part"
    onnx.save(model, unfinished)
    os.replace(unfinished, target)


def main():
    yunet, sface, folder = sys.argv[1:]
    prepare(yunet, os.path.join(folder, "yunet.onnx"), is_detector=True)
    prepare(sface, os.path.join(folder, "sface.onnx"), is_detector=False)


main()
