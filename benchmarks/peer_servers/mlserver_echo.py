"""MLServer: one model with a handler of its own, without parallel workers."""

import asyncio
import sys
from typing import Any

from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.handlers import custom_handler


class Echo(MLModel):
    @custom_handler(rest_path="/echo")
    async def echo(self, body: dict[str, Any]) -> dict[str, Any]:
        return body


async def serve(port: int) -> None:
    settings = Settings(
        host="127.0.0.1",
        http_port=port,
        grpc_port=0,
        metrics_port=0,
        parallel_workers=0,
        debug=False,
    )
    server = MLServer(settings)
    models = [ModelSettings(name="echo", implementation=Echo)]
    await server.start(models_settings=models)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
