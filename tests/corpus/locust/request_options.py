from locust import HttpUser, between, task

PAYLOAD = """
{"query": "{ items { id } }",
 "variables": {}}
"""


class OptionsUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(2)
    def params(self):
        self.client.get("/search", params={"q": "büro stuhl", "limit": 10, "tags": ["a", "b"]}, name="/search")

    @task(1)
    def form(self):
        self.client.post("/echo/form", data={"name": "Ann Lee", "age": 30})

    @task(1)
    def raw(self):
        self.client.post("/echo/raw", data=PAYLOAD, headers={"Content-Type": "application/json"})

    @task(1)
    def put_and_patch(self):
        self.client.put("/items/8", json={"price": 9.99})
        self.client.patch("/items/8", json={"stock": 0}, timeout=5, verify=False)

    @task(1)
    def other_methods(self):
        self.client.head("/health")
        self.client.options("/items")
        self.client.request("DELETE", "/items/8")

    @task(1)
    def redirects(self):
        self.client.get("/old")

    @task(1)
    def no_redirects(self):
        self.client.get("/old", allow_redirects=False, name="/old (302)")
