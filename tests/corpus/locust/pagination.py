from locust import HttpUser, constant, task


class PagingUser(HttpUser):
    wait_time = constant(0.01)

    @task
    def all_pages(self):
        page = 1
        while page <= 3:
            response = self.client.get("/items", params={"page": page}, name="/items (page)")
            if response.status_code != 200:
                break
            page += 1
        self.client.get("/page/all-read")
