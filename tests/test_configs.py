"""Every config builds and predicts, is a short diff, and has its place: a
folder with a README and a metafile that name it."""

import copy
import functools
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine import Config
from mmengine.fileio import load
from mmengine.registry import init_default_scope
from mmseg.registry import HOOKS, MODELS, TRANSFORMS, VISUALIZERS
from mmseg.structures import SegDataSample

from mmseg_video.datasets import sequence_config
from mmseg_video.engine.config_checks import check_flow_is_read
from mmseg_video.engine.launch import revert_sync_bn
from mmseg_video.experiments.zoo import read_metafiles
from mmseg_video.models.warm_start import rename_neck

CONFIGS = Path(__file__).parents[1] / 'configs'
LEAVES = sorted(p for p in CONFIGS.rglob('*.py') if '_base_' not in p.parts)
# DenseCL trains an encoder: it segments nothing.
SEGMENTORS = [p for p in LEAVES if not p.stem.startswith('densecl')]
FOLDERS = sorted({path.parent for path in LEAVES})
RECIPES = sorted(CONFIGS.glob('_base_/recipes/*.py'))
SPECS = sorted(CONFIGS.glob('ablations/*.yml'))
ZOO = read_metafiles(CONFIGS)
# Their decoder differs from the baseline's by more than the recurrence.
# dense reads concat(x, h); DRU and SRU read the last mask.
OTHER_DECODER = ('rnn_unet_dense_', 'rnn_dru_', 'rnn_sru_')


def names(path):
    return path.stem


def stems(folder):
    return sorted(path.stem for path in folder.glob('*.py'))


@functools.cache
def _read(path):
    return Config.fromfile(path)


def read(path):
    """A config, from its file once."""
    return copy.deepcopy(_read(path))


def build(path):
    cfg = read(path)
    revert_sync_bn(cfg.model)
    return MODELS.build(cfg.model).eval()


SHAPES = {}


def shapes(name):
    """Of all tensors of a model; built once."""
    if name not in SHAPES:
        note_shapes(name, build(ZOO[name].config))
    return SHAPES[name]


def note_shapes(name, model):
    SHAPES[name] = {k: v.shape for k, v in model.state_dict().items()}


def parameters(name):
    """How many a model has: its tensors without the norms' statistics."""
    statistics = ('running_mean', 'running_var', 'num_batches_tracked')
    return sum(
        shape.numel()
        for key, shape in shapes(name).items()
        if not key.endswith(statistics)
    )


@pytest.fixture(params=SEGMENTORS, ids=names, scope='module')
def built(request):
    """A config and its model; all tests of one run one after the other."""
    init_default_scope('mmseg')
    model = build(request.param)
    note_shapes(request.param.stem, model)
    return request.param, model


def test_the_lists_are_not_empty():
    assert len(LEAVES) >= 50
    assert len(FOLDERS) >= 20
    assert len(RECIPES) >= 10
    assert sum(model.baseline is not None for model in ZOO.values()) >= 30


def test_every_config_has_one_entry_in_a_metafile():
    """Of its own folder; the path exists and the name is its own."""
    assert sorted(model.config for model in ZOO.values()) == LEAVES
    for folder in FOLDERS:
        entries = load(folder / 'metafile.yml')['Models']
        assert sorted(e['Name'] for e in entries) == stems(folder)


def test_the_root_has_nine_leaves():
    assert set(stems(CONFIGS)) == {
        f'{model}_{data}'
        for model in ('unet', 'unet_finetune', 'rnn_unet')
        for data in ('cityscapes', 'camvid', 'street')
    }


def test_names_are_unique_over_all_folders():
    assert len({path.stem for path in LEAVES}) == len(LEAVES)


@pytest.mark.parametrize('folder', FOLDERS, ids=lambda p: p.name)
def test_a_readme_names_every_config_of_its_folder(folder):
    text = (folder / 'README.md').read_text()
    missing = [s for s in stems(folder) if f'({s}.py)' not in text]
    assert missing == []
    links = re.findall(r'\]\(([^)#]+)[^)]*\)', text)
    paths = re.findall(r'\b(?:configs|tools)/[\w./-]+\.(?:py|yml|sh)', text)
    assert not [
        x for x in links if '://' not in x and not (folder / x).exists()
    ]
    assert not [x for x in paths if not (CONFIGS.parent / x).exists()]


PAPERS = [
    (folder, collection['Paper'])
    for folder in FOLDERS
    for collection in load(folder / 'metafile.yml')['Collections']
    if 'Paper' in collection
]


@pytest.mark.parametrize(
    ('folder', 'paper'),
    PAPERS,
    ids=[f'{folder.name}: {paper["Title"]}' for folder, paper in PAPERS],
)
def test_a_readme_links_the_paper_and_has_its_citation(folder, paper):
    text = (folder / 'README.md').read_text()
    assert paper['URL'] in text
    if folder == CONFIGS:  # of many methods
        return
    (entry,) = [e for e in bibtex(text) if e['title'] == paper['Title']]
    assert entry.keys() >= {'author', 'year'}
    assert entry.keys() & {'booktitle', 'journal'}


def test_method_folders_without_a_paper_of_their_own_link_others():
    ours = {p for p in FOLDERS if p not in dict(PAPERS)}
    assert ours
    links = re.compile(r'\]\(https://arxiv\.org/abs/\d{4}\.\d{4,5}\)')
    assert not [p for p in ours if not links.search(readme(p))]


def test_a_citation_is_the_same_wherever_it_stands():
    """Its key is the first author, the year and the title's first word."""
    entries = {}
    for folder in FOLDERS:
        for entry in bibtex(readme(folder)):
            assert entries.setdefault(entry['key'], entry) == entry
            author = re.split(r'[, ]', entry['author'])[0].lower()
            assert entry['key'].startswith(author + entry['year'])
    assert len(entries) > 10


def readme(folder):
    return (folder / 'README.md').read_text()


def bibtex(text):
    """The entries of a page, as dictionaries of their fields."""
    return [
        dict(re.findall(r'(\w+)={(.*)},?$', body, re.M), key=key)
        for key, body in re.findall(
            r'^@\w+{(\w+),\n(.*?)^}', text, re.M | re.S
        )
    ]


def test_the_model_index_imports_every_metafile():
    root = CONFIGS.parent
    metafiles = load(root / 'model-index.yml')['Import']
    assert sorted(root / path for path in metafiles) == sorted(
        folder / 'metafile.yml' for folder in FOLDERS
    )
    names = []
    for path in metafiles:
        meta = load(root / path)
        ours = [collection['Name'] for collection in meta['Collections']]
        names += ours
        assert {model['In Collection'] for model in meta['Models']} == set(
            ours
        )
        readmes = {collection['README'] for collection in meta['Collections']}
        assert readmes == {str(Path(path).with_name('README.md'))}
    assert len(set(names)) == len(names)


@pytest.mark.parametrize('path', RECIPES, ids=names)
def test_a_recipe_is_one_variable_that_configs_share(path):
    assert set(Config.fromfile(path)) == {'recipe'}
    name = f'/{path.name}'
    users = [p for p in LEAVES + RECIPES if name in p.read_text()]
    listed = re.compile(rf'recipes: \[.*\b{path.stem}\b')
    users += [p for p in SPECS if listed.search(p.read_text())]
    assert len(users) >= 1


@pytest.mark.parametrize('path', LEAVES, ids=names)
def test_a_leaf_is_short(path):
    assert len(path.read_text().splitlines()) <= 10


@pytest.mark.parametrize('path', SEGMENTORS, ids=names)
def test_a_name_says_what_it_is(path):
    """Recurrent ones begin with rnn_, and only those."""
    cfg = read(path)
    # A framewise net takes losses and averages over time as a RecurrentUNet
    # of no RNN.
    rnns = {'neck', 'final_rnn', 'head_rnns'} & set(cfg.model)
    recurrent = cfg.model.type != 'EncoderDecoder' and (
        cfg.model.type != 'RecurrentUNet' or bool(rnns)
    )
    smoothing = 'filter' in cfg.model
    assert path.stem.startswith('rnn_') == (recurrent and not smoothing)
    assert (ZOO[path.stem].baseline is not None) == (recurrent or smoothing)


@torch.no_grad()
def test_builds_and_predicts(built):
    path, model = built
    cfg = read(path)
    num_frames = cfg.test_dataloader.dataset.get('num_frames', 1)
    clip = torch.randint(256, (num_frames, 3, 64, 96), dtype=torch.uint8)
    data = model.data_preprocessor(dict(inputs=[clip]))
    check_flow_is_read(cfg)
    samples = None
    if getattr(model, 'flow_compensated', False):
        metas = dict(img_shape=(64, 96), ori_shape=(64, 96))
        samples = [SegDataSample(metainfo=metas)]
        samples[0].flow = torch.zeros(num_frames, 3, 32, 48)
    (sample,) = model.predict(data['inputs'], samples)
    assert sample.seg_logits.shape == (64, 96)
    assert len(sample.seg_logits.data) == model.decode_head.out_channels
    for split in ('train', 'val', 'test'):
        dataset = sequence_config(cfg[f'{split}_dataloader'].dataset)
        for transform in dataset.pipeline:
            TRANSFORMS.build(transform)
    for transform in cfg.tta_pipeline:
        TRANSFORMS.build(transform)


def test_only_recurrence_is_added_to_the_framewise_baseline(built):
    path, model = built
    baseline = ZOO[path.stem].baseline
    if baseline is None or path.stem.startswith(OTHER_DECODER):
        return
    ours = {key: v.shape for key, v in model.state_dict().items()}
    base = shapes(baseline)
    base = rename_neck(getattr(model, 'necks', ()), base)
    for key, shape in base.items():
        assert ours.pop(key) == shape, key
    # A discriminator is there in training alone.
    training_only = getattr(model, 'training_only', ())
    ours = [key for key in ours if not key.startswith(training_only)]
    assert all('rnn' in key for key in ours)
    assert bool(ours) == ('rnn_' in path.stem)


def test_dense_widens_only_what_reads_it():
    name = 'rnn_unet_dense_cityscapes'
    ours, base = shapes(name), shapes(ZOO[name].baseline)
    wider = [key for key, shape in base.items() if ours[key] != shape]
    assert len(wider) == 3  # one convolution for each join
    assert all(k.startswith('decode_head.joins.') for k in wider)


EXTRA = {
    'rnn_unet_joint_cityscapes': 'unet_finetune_cityscapes',
    'rnn_unet_camvid': 'unet_finetune_camvid',
    'rnn_unet_joint_street': 'unet_finetune_street',
    'rnn_icnet_v5_cityscapes': 'icnet_finetune_cityscapes',
    'rnn_unet_vgg_cityscapes': 'unet_finetune_vgg_cityscapes',
    'rnn_unet_vgg_lstm_bottleneck_cityscapes': 'unet_vgg_60k_cityscapes',
    'rnn_deeplabv3plus_cityscapes': 'deeplabv3plus_finetune_cityscapes',
    'rnn_pspnet_cityscapes': 'pspnet_finetune_cityscapes',
    'rnn_upernet_cityscapes': 'upernet_finetune_cityscapes',
    'rnn_segformer_cityscapes': 'segformer_finetune_cityscapes',
    'rnn_convnext_cityscapes': 'convnext_finetune_cityscapes',
    **{
        f'rnn_unet_{name}': f'unet_finetune_{name}'
        for name in (
            'gn_cityscapes',
            *('pseudo_cityscapes', 'pseudo_street'),
            *('mean_teacher_cityscapes', 'mean_teacher_street'),
        )
    },
}


@pytest.mark.parametrize('name', EXTRA)
def test_both_get_the_same_extra_iterations(name):
    ours = read(ZOO[name].config)
    base = read(ZOO[EXTRA[name]].config)
    assert ours.get('default_hooks') == base.get('default_hooks')
    for key in ('train_cfg', 'optim_wrapper', 'param_scheduler'):
        assert ours[key] == base[key]
    assert ours.train_dataloader.batch_size == base.train_dataloader.batch_size
    sequence_config(ours.train_dataloader.dataset).num_frames = 1
    assert ours.train_dataloader.dataset == base.train_dataloader.dataset


def trains(name):
    """The names of the parameters that a config's training changes."""
    model = build(ZOO[name].config)
    assert model.neck
    assert model.head_rnns
    if freeze := read(ZOO[name].config).default_hooks.get('freeze'):
        hook = HOOKS.build(freeze)
        hook.before_train(SimpleNamespace(iter=0, model=model))
        hook.before_train_iter(SimpleNamespace(iter=10**6, model=model), 0)
    return [k for k, p in model.named_parameters() if p.requires_grad]


def test_on_cityscapes_the_default_trains_its_recurrent_modules_alone():
    names = trains('rnn_unet_cityscapes')
    assert names
    assert all('rnn' in name for name in names)


def test_on_street_scenes_the_default_trains_net_and_recurrent_modules():
    names = trains('rnn_unet_street')
    for part in ('backbone.', 'decode_head.', 'neck.', 'head_rnns.'):
        assert any(name.startswith(part) for name in names)


def test_coco_pretrained_models_train_alike():
    ours, base = (
        read(ZOO[f'{name}_cityscapes_coco-pretrained'].config)
        for name in ('rnn_unet', 'unet')
    )
    for key in (
        *('train_cfg', 'optim_wrapper', 'param_scheduler'),
        *('load_from', 'custom_hooks'),
    ):
        assert ours[key] == base[key]
    ours.train_dataloader.dataset.num_frames = 1
    assert ours.train_dataloader == base.train_dataloader


@pytest.mark.parametrize(
    'name',
    [
        *('augmented_cityscapes', 'augmented_camvid', 'augmented_street'),
        *('clean_camvid', 'camvid'),
    ],
)
def test_both_get_the_same_augmentation(name):
    ours = read(ZOO[f'rnn_unet_{name}'].config)
    base = read(ZOO[f'unet_finetune_{name}'].config)
    augments = ours.train_dataloader.dataset.augments
    assert augments == base.train_dataloader.dataset.augments
    assert any(augments.values()) != name.startswith('clean')


@pytest.mark.parametrize(
    'name',
    [
        'rnn_unet_cityscapes',
        'rnn_unet_vgg_cityscapes',
        'rnn_deeplabv3plus_cityscapes',
        'rnn_pspnet_cityscapes',
        'rnn_upernet_cityscapes',
        'rnn_segformer_cityscapes',
        'rnn_convnext_cityscapes',
    ],
)
def test_default_recurrence_adds_about_a_tenth_of_the_parameters(name):
    assert parameters(name) <= 1.105 * parameters(ZOO[name].baseline)


def test_wandb_is_one_inherited_file():
    cfg = read(ZOO['rnn_unet_wandb_cityscapes'].config)
    types = [b['type'] for b in cfg.visualizer.vis_backends]
    assert 'WandbVisBackend' in types
    assert VISUALIZERS.get(cfg.visualizer.type) is not None
