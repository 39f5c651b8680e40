"""Engines as processes: started, watched over, restarted, spoken to over a socket."""
