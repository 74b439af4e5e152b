from locust import HttpUser, constant, task


class ListUser(HttpUser):
    wait_time = constant(0.01)

    @task(1)
    def last(self):
        items = self.client.get("/items").json()
        self.client.get(f"/items/{items[-1]['id']}", name="/items/[last]")

    @task(1)
    def each(self):
        ids = [item["id"] for item in self.client.get("/items?page=2", name="/items (2)").json()["items"]]
        for item_id in ids[:3]:
            self.client.get(f"/items/{item_id}", name="/items/[each]")

    @task(1)
    def found(self):
        items = self.client.get("/items").json()
        green = next((item for item in items if item["color"] == "green"), None)
        if green:
            self.client.get(f"/items/{green['id']}", name="/items/[green]")

    @task(1)
    def counted(self):
        if len(self.client.get("/empty").json()["items"]) == 0:
            self.client.get("/page/empty")
