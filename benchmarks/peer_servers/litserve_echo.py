"""LitServe: one worker, no batching."""

import sys
from typing import Any

import litserve


class Echo(litserve.LitAPI):
    def setup(self, device: str) -> None: ...

    def predict(self, x: Any) -> Any:
        return x


if __name__ == "__main__":
    server = litserve.LitServer(Echo(api_path="/"), accelerator="cpu")
    server.run(port=int(sys.argv[1]), log_level="warning", generate_client_file=False)
