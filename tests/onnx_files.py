"""ONNX files that no one should open."""

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
