// A client of socket.io that prints what it is told, a line of JSON each: node socket_io_client.js URL
"use strict";

const { io } = require("socket.io-client");

const socket = io(process.argv[2], { transports: ["websocket"] });
const say = (line) => console.log(JSON.stringify(line));

socket.on("connect", () => say({ connected: socket.id }));
socket.on("connect_error", (error) => say({ failed: String(error) }));
socket.onAny((event, ...content) => say({ event, content }));
// It ends with whoever started it.
process.stdin.on("end", () => process.exit(0)).resume();
