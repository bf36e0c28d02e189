"""Off-policy learning of prompt policies on a language environment (Kiyohara et al., RecSys 2025, arXiv 2504.02646)."""
