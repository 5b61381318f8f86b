import cv2
import pytest

from mmseg_video.visualization.data_flow import trace
from tests.commands import TOOLS, call_here
from tests.models import CHANNELS, NUM_CLASSES, RECURRENT, build
from tests.runs import CONFIGS


def run(*arguments):
    assert call_here(TOOLS / 'draw_positions.py', *arguments) == 0


def test_a_picture_of_two_nets(tmp_path):
    out = tmp_path / 'new' / 'positions.png'
    configs = [CONFIGS / f'{n}unet_street.py' for n in ('', 'rnn_')]
    run(*configs, '--out', out)
    picture = cv2.imread(str(out))
    orange = cv2.inRange(picture, (43, 142, 242), (43, 142, 242))
    left, right = orange[: -len(orange) // 4].any(0).nonzero()[0][[0, -1]]
    assert left > picture.shape[1] / 2  # only the second net recurs
    assert right < picture.shape[1]
    assert [p.name for p in out.parent.iterdir()] == ['positions.png']


@pytest.mark.parametrize(
    ('config', 'out', 'message'),
    [('none.py', 'a.png', "no config 'none.py'"), ('a.py', 'a.jpg', '.png')],
)
def test_bad_input_is_one_sentence(run_tool, config, out, message):
    tool = TOOLS / 'draw_positions.py'
    code, output = run_tool(tool, config, '--out', out)
    assert code == 1
    assert message in output


def test_laterals_of_a_unet_are_found():
    boxes = trace(build(RECURRENT), (64, 128))
    places = {}
    for box in boxes:
        if box.cell:
            (source,) = box.sources
            assert boxes[source].part == 'backbone'
            places[box.stride] = boxes[source].names[-1]
            assert box.cell == 'ConvGRUCell'
            assert boxes[source].stride == box.stride
    assert places == {4 << i: f'backbone.layer{i + 1}' for i in range(4)}
    finest = boxes[-1]
    assert finest.names == ['decode_head.joins.0', 'decode_head.conv_seg']
    assert {boxes[i].stride for i in finest.sources} == {4, 8}


def test_a_final_rnn_is_behind_the_decoder():
    head = dict(
        type='FCNHead',
        in_channels=CHANNELS[3],
        in_index=3,
        channels=8,
        num_classes=NUM_CLASSES,
        concat_input=False,
    )
    model = build(
        RECURRENT,
        neck=None,
        decode_head=head,
        final_rnn=dict(cell=dict(type='ConvLSTMCell')),
    )
    boxes = trace(model, (64, 128))
    ((place, rnn),) = [(i, b) for i, b in enumerate(boxes) if b.cell]
    assert [boxes[i].names[-1] for i in rnn.sources] == ['decode_head.convs']
    readers = [b.names for b in boxes if place in b.sources]
    assert readers == [['decode_head.conv_seg']]
