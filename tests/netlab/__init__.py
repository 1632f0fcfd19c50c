"""A network lab in namespaces: LAN, router, up to eight emulated links, and an Internet of a few servers.

``with Lab(FOUR) as lab`` builds it and takes it down again, see ``netlab.lab``. It needs root; ``why_not()`` says what
is missing.
"""
