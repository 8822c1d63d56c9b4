"""Reports: figures, tables and text about retrainings, scoring runs and pipelines."""
