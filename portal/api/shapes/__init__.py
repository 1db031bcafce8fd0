"""The JSON shapes of interface.md, as serializers: what is shown, what may be sent, and the schema of both."""
