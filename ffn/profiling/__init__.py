"""What outlives a run: settings, classifier, bundle, selection, registry."""
