"""HTTP/1.1 on asyncio.Protocol: bytes to requests, replies to bytes."""
