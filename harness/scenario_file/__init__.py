"""The format of scenario files: its words are these models; text to runs, mistakes with line and caret."""
