"""What one would write without the exchange, each as good as its kind gets: the yardsticks of the goals."""
