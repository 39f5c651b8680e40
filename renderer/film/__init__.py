"""CPU side: two keyframes in, committed film out. Knows no painter and no project."""
