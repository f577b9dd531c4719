"""`python -m samhost`."""

from samhost.main import main

main()
