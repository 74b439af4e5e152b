import os

from locust import HttpUser, between, task

API_PREFIX = os.getenv("API_PREFIX", "/api/v1")
TENANT = os.environ.get("TENANT", "acme")
API_KEY = os.getenv("SHOP_API_KEY", "key-123")
MIN_WAIT = float(os.getenv("MIN_WAIT", "0.01"))


class TenantUser(HttpUser):
    wait_time = between(MIN_WAIT, 0.02)
    host = os.getenv("TARGET_HOST", "http://127.0.0.1:8001")

    @task(2)
    def items(self):
        self.client.get(f"{API_PREFIX}/items", headers={"X-Tenant": TENANT, "X-Api-Key": API_KEY})

    @task(1)
    def item(self):
        self.client.get(API_PREFIX + "/items/5", headers={"X-Tenant": TENANT})
