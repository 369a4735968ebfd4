"""What the suites share: a broker to start, stop and kill, and peers that say exactly what they are told to."""
