"""The same tests with every ansible-core and every Python that Kubikk supports."""
