"""The API process: HTTP, the stream and the dashboard. Never in the way of control."""
