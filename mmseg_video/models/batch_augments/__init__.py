from .clip_mix import ClipClassMix, ClipCutMix, ClipMixUp

__all__ = ['ClipClassMix', 'ClipCutMix', 'ClipMixUp']
