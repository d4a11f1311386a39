// A socket.io server with the Redis adapter: node socket_io_server.js PORT REDIS_URL KEY NAMESPACE
"use strict";

const http = require("node:http");
const { createAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");
const { Server } = require("socket.io");

async function main([port, url, key, namespace]) {
  const clients = [createClient({ url, RESP: 2 }), createClient({ url, RESP: 2 })];
  for (const client of clients) {
    client.on("error", (error) => console.error(String(error)));
    await client.connect();
  }
  const server = http.createServer();
  const io = new Server(server, { adapter: createAdapter(...clients, { key }) });
  io.of(namespace);
  // Whoever can connect is told of all that is published from now on.
  await clients[1].ping();
  server.listen(Number(port), "127.0.0.1");
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
