"""What is known of the values that cross a cut: types, dtypes and axes, and the Triton tensors made of them."""
