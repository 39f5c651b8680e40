"""GPU side: a picture and a prompt in, the next keyframe out. Knows no film and no project."""
