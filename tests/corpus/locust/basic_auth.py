from requests.auth import HTTPBasicAuth

from locust import HttpUser, constant, task


class BasicUser(HttpUser):
    wait_time = constant(0.01)

    @task(2)
    def tuple_auth(self):
        self.client.get("/basic", auth=("amy", "secret"))

    @task(1)
    def object_auth(self):
        self.client.get("/basic", auth=HTTPBasicAuth("amy", "secret"), name="/basic (object)")

    @task(1)
    def wrong(self):
        self.client.get("/basic", auth=("amy", "guess"), name="/basic (wrong)")
