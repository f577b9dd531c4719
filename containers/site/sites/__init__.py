"""Three small sites: a greeting as JSON, a blog, a web page."""
