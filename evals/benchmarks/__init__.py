"""Measurements that anyone can repeat. Where a machine matters, they are ratios."""
