"""Every option, declared once: what it is, what it may be, how it is written down. Light."""
