"""An instance of the service: answers each request with what it got, and writes its port to stdout when it is ready."""

import asyncio
import json


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    port = writer.get_extra_info("sockname")[1]
    while head := await reader.readuntil(b"\r\n\r\n"):
        line, *headers = head.decode("latin-1").split("\r\n")[:-2]
        named = [header.split(": ", 1) for header in headers]
        await reader.readexactly(int({name.lower(): value for name, value in named}.get("content-length", 0)))
        body = json.dumps({"instance": port, "line": line, "headers": named}).encode()
        answered = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(answered.encode() + body)


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
