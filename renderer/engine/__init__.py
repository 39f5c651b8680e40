"""What ties painting and film together: the project folder, the threads, the hand-off."""
