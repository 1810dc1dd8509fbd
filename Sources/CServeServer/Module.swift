// The module opens with its first file.
