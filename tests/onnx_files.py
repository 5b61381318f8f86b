"""ONNX files that no one should open, or that are damaged."""

import onnx


def external_graph(location):
    """A graph (bytes) whose one weight lies in another file."""
    tensor = onnx.helper.make_tensor('w', 1, [1], bytes(4), raw=True)
    tensor.ClearField('raw_data')
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key='location', value=location)
    node = onnx.helper.make_node('Identity', ['w'], ['logits'])
    value = onnx.helper.make_tensor_value_info('logits', 1, [1])
    graph = onnx.helper.make_graph([node], 'g', [], [value], [tensor])
    return onnx.helper.make_model(graph).SerializeToString()


def small_graph(inputs=('frame',), **metadata):
    """A graph (bytes) of these inputs, with metadata."""
    values = [
        onnx.helper.make_tensor_value_info(name, 1, [1] * 4) for name in inputs
    ]
    node = onnx.helper.make_node('Identity', ['frame'], ['labels'])
    out = onnx.helper.make_tensor_value_info('labels', 1, [1] * 4)
    graph = onnx.helper.make_graph([node], 'g', values, [out])
    versions = [onnx.helper.make_opsetid('', 17)]
    model = onnx.helper.make_model(graph, opset_imports=versions, ir_version=9)
    onnx.helper.set_model_props(model, metadata)
    return model.SerializeToString()
