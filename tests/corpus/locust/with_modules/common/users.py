from locust import HttpUser


class AuthenticatedUser(HttpUser):
    abstract = True
    account = None

    def on_start(self):
        response = self.client.post("/login", json=self.account)
        self.headers = {"Authorization": "Bearer " + response.json()["token"]}
