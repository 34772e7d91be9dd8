"""The commands, grouped by what they work on. They parse, call an operation and print; they decide nothing."""
