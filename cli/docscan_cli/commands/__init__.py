"""The commands: what each takes and says. The work is done by the modules beside this package, imported when needed."""
