"""What cluster tests share: how a cluster is found, asked and disturbed."""
