import pytest

from mmseg_video.io.listing import select_files, snippets_of


@pytest.mark.parametrize(
    'names',
    [
        ['1.png', '2.png', '10.png'],
        ['01.png', '1.png', '2.png'],
        ['a1.png', 'a1.png2.png', 'a1b.png'],
        ['a/10.png', 'b/2.png', 'b/10.png'],
        ['7.png', 'a7.png', 'a.png'],
    ],
)
def test_natural_order(names):
    assert select_files(names[::-1]) == names


def test_suffixes_and_hidden_files():
    names = ['a.PNG', 'a.txt', '.a.png', '._a.png', '.b/a.png', r'.b\a.png']
    assert select_files(names) == ['a.PNG']
    assert select_files(['x_L.png', 'x.png'], ['_l.PNG']) == ['x_L.png']


def test_snippets_of_cityscapes():
    def stems(*numbers, recording='ulm_000001'):
        return [f'{recording}_{n:06d}_leftImg8bit' for n in numbers]

    two = stems(7, 8, 20)
    assert snippets_of(two) == [two[0], two[0], two[2]]
    other = [*stems(7), *stems(8, recording='ulm_000002')]
    assert snippets_of(other) == other
    assert snippets_of(stems(7, 8, 9)) == []
    assert snippets_of([*two, '0001']) == []
