"""`python -m syncengine.sandbox`: both sandboxes without Django."""

from syncengine.sandbox.launch import main

main()
