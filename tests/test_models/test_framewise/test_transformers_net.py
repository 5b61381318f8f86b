"""Tiny models of transformers with random weights, from a folder."""

import json

import pytest
import torch

from mmseg_video.apis import open_net
from mmseg_video.models import EMAFilter, SteadySegmentor
from mmseg_video.models.framewise.queries import sum_of_queries

hf = pytest.importorskip('transformers')
NAMES = [f'class {i}' for i in range(5)]
LABELS = dict(
    id2label=dict(enumerate(NAMES)),
    label2id={name: i for i, name in enumerate(NAMES)},
)
STAGES = ['stage1', 'stage2', 'stage3', 'stage4']
VIT = dict(hidden_size=16, num_attention_heads=2, image_size=64, patch_size=16)
MASKS = dict(
    encoder_feedforward_dim=16,
    dim_feedforward=16,
    encoder_layers=1,
    decoder_layers=2,
    num_attention_heads=2,
    num_queries=6,
    hidden_dim=32,
)


def swin():
    return hf.SwinConfig(
        embed_dim=8,
        depths=[1] * 4,
        num_heads=[1] * 4,
        window_size=4,
        image_size=64,
        out_features=STAGES,
    )


def config(kind):
    """A tiny config of a kind of model."""
    if kind == 'segformer':
        return hf.SegformerConfig(
            depths=[1] * 4,
            hidden_sizes=[8, 8, 16, 16],
            num_attention_heads=[1] * 4,
            decoder_hidden_size=16,
            **LABELS,
        )
    if kind == 'mobilenet_v2':
        return hf.MobileNetV2Config(depth_multiplier=0.25, **LABELS)
    if kind == 'upernet':
        backbone = hf.ConvNextConfig(
            hidden_sizes=[8, 8, 16, 16], depths=[1] * 4, out_features=STAGES
        )
        return hf.UperNetConfig(
            backbone_config=backbone,
            hidden_size=16,
            auxiliary_channels=8,
            auxiliary_in_channels=16,
            **LABELS,
        )
    if kind == 'dpt':
        return hf.DPTConfig(
            **VIT,
            num_hidden_layers=4,
            intermediate_size=16,
            backbone_out_indices=[0, 1, 2, 3],
            neck_hidden_sizes=[8] * 4,
            fusion_hidden_size=8,
            is_hybrid=False,
            **LABELS,
        )
    if kind == 'mask2former':
        return hf.Mask2FormerConfig(
            backbone_config=swin(),
            feature_size=32,
            mask_feature_size=32,
            **MASKS,
            **LABELS,
        )
    if kind == 'oneformer':
        return hf.OneFormerConfig(
            backbone_config=swin(),
            conv_dim=32,
            mask_dim=32,
            query_dec_layers=1,
            text_encoder_width=32,
            text_encoder_context_length=7,
            text_encoder_num_layers=1,
            text_encoder_vocab_size=100,
            task_seq_len=7,
            max_seq_len=7,
            **MASKS,
            **LABELS,
        )
    maker = dict(eomt=hf.EomtConfig, videomt=hf.VideomtConfig)[kind]
    return maker(
        **VIT, num_hidden_layers=3, num_blocks=1, num_queries=6, **LABELS
    )


MAKERS = dict(
    segformer='SegformerForSemanticSegmentation',
    mobilenet_v2='MobileNetV2ForSemanticSegmentation',
    upernet='UperNetForSemanticSegmentation',
    dpt='DPTForSemanticSegmentation',
    mask2former='Mask2FormerForUniversalSegmentation',
    oneformer='OneFormerForUniversalSegmentation',
    eomt='EomtForUniversalSegmentation',
    videomt='VideomtForUniversalSegmentation',
)


def saved(kind, folder):
    """A model on disk, as users have it; the model too."""
    torch.manual_seed(0)
    net = getattr(hf, MAKERS[kind])(config(kind)).eval()
    net.save_pretrained(folder)
    if kind == 'oneformer':
        words = ['<|startoftext|>', '<|endoftext|>']
        words += [f'{word}</w>' for word in ['the', 'task', 'is', 'semantic']]
        vocab = {word: i for i, word in enumerate(words)}
        (folder / 'vocab.json').write_text(json.dumps(vocab))
        (folder / 'merges.txt').write_text('#version: 0.2\n')
        hf.CLIPTokenizer(
            str(folder / 'vocab.json'), str(folder / 'merges.txt')
        ).save_pretrained(folder)
    return net


@pytest.mark.parametrize('kind', MAKERS)
@torch.no_grad()
def test_every_kind_streams_from_a_folder(kind, tmp_path):
    saved(kind, tmp_path)
    net = open_net(f'hf://{tmp_path}')
    assert net.classes == tuple(NAMES)
    model = SteadySegmentor(net, EMAFilter(), flow_compensated=False).eval()
    clip, states = torch.rand(2, 1, 3, 70, 101) * 255, None
    for frame in clip:
        logits, states = model.step(frame, states)
        assert logits.shape == (1, 5, 70, 101)
    alone, _ = model.step(clip[-1])
    assert not torch.equal(logits, alone)


@torch.no_grad()
def test_colours_are_normalised_as_the_processor_says(tmp_path):
    net = saved('segformer', tmp_path)
    processor = dict(
        image_processor_type='SegformerImageProcessor',
        do_normalize=True,
        do_rescale=True,
        rescale_factor=1 / 255,
        image_mean=[0.5, 0.4, 0.3],
        image_std=[0.1, 0.2, 0.3],
    )
    (tmp_path / 'preprocessor_config.json').write_text(json.dumps(processor))
    frames = torch.rand(1, 3, 64, 96) * 255
    mean = torch.tensor(processor['image_mean']).view(3, 1, 1)
    std = torch.tensor(processor['image_std']).view(3, 1, 1)
    want = net((frames.flip(1) / 255 - mean) / std).logits
    got = open_net(f'hf://{tmp_path}').scores(frames)
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_windows_of_one_square_are_averaged_where_they_overlap(tmp_path):
    net = saved('eomt', tmp_path)
    ours = open_net(f'hf://{tmp_path}')
    frames = torch.rand(1, 3, 64, 96) * 255

    def part(x):
        output = net(ours.normalised(frames[..., x : x + 64]))
        return sum_of_queries(
            output.class_queries_logits, output.masks_queries_logits
        )

    left, right = part(0), part(32)
    want = torch.cat(
        [
            left[..., :8],
            (left[..., 8:] + right[..., :8]) / 2,
            right[..., 8:],
        ],
        dim=3,
    )
    got = ours.scores(frames)
    assert got.shape == (1, 5, 16, 24)
    torch.testing.assert_close(got, (want + 1e-3).log())
    # Another size is brought to that square first.
    assert ours.scores(frames[..., :32, :48]).shape == (1, 5, 16, 24)


@torch.no_grad()
def test_videomt_one_frame_at_a_time_equals_the_whole_clip(tmp_path):
    net = saved('videomt', tmp_path)
    for parameter in net.query_updater.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    net.save_pretrained(tmp_path)
    ours = open_net(f'hf://{tmp_path}')
    clips = torch.rand(2, 4, 3, 64, 64) * 255
    normalised = torch.stack([ours.normalised(clip) for clip in clips])
    # The library stacks frames first: (T * N, ...).
    whole = net(pixel_values_videos=normalised)
    want = sum_of_queries(
        whole.class_queries_logits, whole.masks_queries_logits
    ).view(4, 2, 5, 16, 16)
    states = {}
    for t in range(4):
        scores, states = ours.step(clips[:, t], states, None)
        torch.testing.assert_close(
            scores, (want[t] + 1e-3).log(), rtol=1e-3, atol=1e-4
        )
    alone, _ = ours.step(clips[:, -1], {}, None)
    assert not torch.allclose(alone, scores, atol=1e-2)
    zeros = {k: tuple(map(torch.zeros_like, s)) for k, s in states.items()}
    for begin in (zeros, dict(queries=(torch.zeros(1, 1, 1, 1),) * 2)):
        got, _ = ours.step(clips[:, -1], begin, None)
        torch.testing.assert_close(got, alone)


def test_bad_names_are_refused_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    with pytest.raises(OSError, match='neither found nor fetched'):
        open_net(f'hf://{tmp_path / "none"}')
    folder = tmp_path / 'bert'
    folder.mkdir()
    hf.BertConfig(architectures=['BertModel']).save_pretrained(folder)
    with pytest.raises(ValueError, match='BertModel, which segments nothing'):
        open_net(f'hf://{folder}')


@pytest.mark.parametrize('at', ['config', 'weights'])
@pytest.mark.parametrize(
    ('kind', 'said'),
    [
        (None, 'cannot connect.\nThen much more.'),
        ('httpx', 'it broke off'),
        ('httpx', ''),
    ],
)
def test_a_download_that_fails_is_one_sentence(monkeypatch, at, kind, said):
    kind = pytest.importorskip(kind).ReadTimeout if kind else OSError

    def fail(*args, **kwargs):
        raise kind(said)

    maker = hf.AutoConfig
    if at == 'weights':
        config = hf.SegformerConfig()
        config.architectures = ['SegformerForSemanticSegmentation']
        monkeypatch.setattr(maker, 'from_pretrained', lambda *a, **k: config)
        maker = hf.SegformerForSemanticSegmentation
    monkeypatch.setattr(maker, 'from_pretrained', fail)
    why = (said or 'ReadTimeout').split('.')[0]
    with pytest.raises(OSError, match=f'fetched: {why}. Download') as raised:
        open_net('hf://some/model')
    assert raised.value.__suppress_context__
    assert '\n' not in str(raised.value)


def test_no_code_of_an_author_runs_whatever_is_answered(tmp_path, monkeypatch):
    """The library asks, and a user may say yes."""
    (tmp_path / 'theirs.py').write_text(
        'from transformers import PretrainedConfig\n'
        f'open({str(tmp_path / "ran")!r}, "w").close()\n'
        'class Theirs(PretrainedConfig):\n'
        '    model_type = "theirs"\n'
    )
    (tmp_path / 'config.json').write_text(
        json.dumps(
            dict(
                model_type='theirs', auto_map=dict(AutoConfig='theirs.Theirs')
            )
        )
    )
    monkeypatch.setattr('builtins.input', lambda *args: 'y')
    with pytest.raises(OSError, match='custom code'):
        open_net(f'hf://{tmp_path}')
    assert not (tmp_path / 'ran').exists()
