"""What happens by itself: automatic assignments, rollouts, cleaning up."""
