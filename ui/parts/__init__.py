"""What several pages show: an answer's parts, evidence, canvases."""
