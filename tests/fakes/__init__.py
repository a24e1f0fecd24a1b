"""Loopback doubles of the platforms and of a model: real servers for the real SDKs.

Each fake is an asynchronous context manager, binds a free port on 127.0.0.1, records every call in
`calls`, and takes a fault script per method (`fake.script.on("sendMessage", TooMany(0.2))`). They
may be imported by the tests of other adapters.
"""
