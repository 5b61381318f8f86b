"""Optical flow: estimators, warping along it, and where it is reliable.

Flow leads from a frame to the one before it: the pixel (x, y) of the frame is
found at (x + dx, y + dy) in the frame before. Import from the modules: some of
them need no torch.
"""
