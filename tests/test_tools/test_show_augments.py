import cv2

from tests.commands import ROOT, TOOLS, call_here


def test_a_row_for_each_augment(root, tmp_path, capsys):
    out = tmp_path / 'sheet.png'
    arguments = [
        ROOT / 'configs/temporal_losses/rnn_unet_consistency_street.py',
        out,
        *('--data-root', root, '--width', 64, '--cfg-options'),
        'train_dataloader.dataset.augments.burst.type=RandomBurst',
        'train_dataloader.dataset.augments.burst.ref_prob=0.5',
        'model.data_preprocessor.batch_augments.mix.type=ClipClassMix',
    ]
    assert call_here(TOOLS / 'show_augments.py', *arguments) == 0
    # As it is, flow, both kinds of burst, in training, mixed.
    assert f"6 rows: '{out}'" in capsys.readouterr().out
    sheet = cv2.imread(str(out))
    # Five frames, flow, agreement and label, with gaps of 4.
    assert sheet.shape[1] == 8 * 64 + 7 * 4
