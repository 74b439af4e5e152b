"""Locust's side of the comparison: users that request a small response without think time."""

from locust import FastHttpUser, HttpUser, task


class Fast(FastHttpUser):
    """Uses geventhttpclient."""

    @task
    def ok(self):
        """Requests the small response."""
        self.client.get("/ok")


class Plain(HttpUser):
    """Uses requests."""

    @task
    def ok(self):
        """Requests the small response."""
        self.client.get("/ok")
