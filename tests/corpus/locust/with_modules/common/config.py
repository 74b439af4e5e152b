SETTINGS = {"account_path": "/me", "query": "lamp"}
USERS = [{"username": "hal", "password": "pw"}]
