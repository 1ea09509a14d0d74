"""What payments decides: pure functions and the values they speak of."""
