"""The guarantees, checked from the topics by a reader that shares nothing with the workers but the policy."""
