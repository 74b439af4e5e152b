from locust import HttpUser, between, task

QUERY = """
query Item($id: ID!) {
  item(id: $id) { id name }
}
"""


class GraphUser(HttpUser):
    wait_time = between(0.01, 0.02)

    def graphql(self, name, query, variables=None):
        return self.client.post("/echo/graphql", name=f"/graphql {name}",
                                json={"operationName": name, "query": query, "variables": variables or {}})

    @task(3)
    def item(self):
        self.graphql("Item", QUERY, {"id": 5})

    @task(1)
    def all_items(self):
        self.graphql("All", "{ items { id } }")
