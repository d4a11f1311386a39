// Serves the page, and passes on what is published in Redis: node page/server.js PORT REDIS_URL
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { createAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");
const { Server } = require("socket.io");

async function main([port, url]) {
  const clients = [createClient({ url, RESP: 2 }), createClient({ url, RESP: 2 })];
  for (const client of clients) {
    client.on("error", (error) => console.error(String(error)));
    await client.connect();
  }
  const page = fs.readFileSync(path.join(__dirname, "index.html"));
  const server = http.createServer((request, answer) => {
    answer.setHeader("Content-Type", "text/html; charset=utf-8");
    answer.end(page);
  });
  new Server(server, { adapter: createAdapter(...clients) });
  await clients[1].ping();
  server.listen(Number(port), "127.0.0.1");
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
