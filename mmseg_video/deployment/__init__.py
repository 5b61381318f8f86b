"""Trained models outside of PyTorch."""
