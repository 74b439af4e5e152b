import re

from locust import HttpUser, between, task


class FormUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(2)
    def by_regex(self):
        page = self.client.get("/form")
        match = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        if match:
            self.client.post("/form", data={"csrf_token": match.group(1), "q": "by regex"})

    @task(1)
    def without(self):
        self.client.post("/form", data={"q": "none"}, name="/form (no token)")
