from locust import HttpUser, between, task


class TextUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(3)
    def welcome(self):
        with self.client.get("/text", catch_response=True) as response:
            if "Welcome" not in response.text:
                response.failure("no welcome")

    @task(1)
    def goodbye(self):
        with self.client.get("/text", name="/text (goodbye)", catch_response=True) as response:
            if "Goodbye" in response.text:
                response.success()
            else:
                response.failure("no goodbye")

    @task(1)
    def status_and_text(self):
        with self.client.get("/items/1", catch_response=True) as response:
            if response.status_code != 200:
                response.failure("Got wrong status " + str(response.status_code))
            elif response.json()["name"] != "item 1":
                response.failure("Got another item")
            else:
                response.success()
