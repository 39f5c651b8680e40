"""One render, two threads: keyframes are painted on one and made into film on the other."""
