"""What the technical report shows, from the committed results.

``python tools/report_tables.py`` writes it; see docs/report/README.md.
"""
