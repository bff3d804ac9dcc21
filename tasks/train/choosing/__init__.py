"""A head that is chosen: candidates on cached features, judged on pictures they did not see."""
