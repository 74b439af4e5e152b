from common.config import SETTINGS, USERS
from common.users import AuthenticatedUser
from locust import between, task


class Member(AuthenticatedUser):
    wait_time = between(0.01, 0.02)
    account = USERS[0]

    @task(2)
    def me(self):
        self.client.get(SETTINGS["account_path"], headers=self.headers)

    @task(1)
    def search(self):
        self.client.get("/search", params={"q": SETTINGS["query"]}, headers=self.headers, name="/search")
