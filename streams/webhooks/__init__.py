"""What the world tells a worker by HTTP: checked, written to `delivery.receipts`, and only then answered."""
