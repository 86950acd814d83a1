"""An app whose tasks leave traces that can be counted."""
