"""Shows the scanner's pages, each at the width that is asked for."""
