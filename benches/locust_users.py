"""Locust's side of the comparison: users that ask for one small answer without think time."""

from locust import FastHttpUser, HttpUser, task


class Fast(FastHttpUser):
    """Over geventhttpclient."""

    @task
    def ok(self):
        """The small answer."""
        self.client.get("/ok")


class Plain(HttpUser):
    """Over requests."""

    @task
    def ok(self):
        """The small answer."""
        self.client.get("/ok")
