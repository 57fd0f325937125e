"""What a sweep found: the choice of its best configuration, figures, report and export."""
