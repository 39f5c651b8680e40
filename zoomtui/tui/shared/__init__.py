"""What several screens are made of. Knows no screen."""
