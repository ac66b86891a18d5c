// The JavaScript sync server as people run it: automerge-repo behind a WebSocket, documents as files.
// Usage: node sync-server.mjs FOLDER [PORT]. Prints `listening on ws://127.0.0.1:PORT`.

import { createServer } from "node:http"
import { WebSocketServer } from "ws"
import { Repo } from "@automerge/automerge-repo"
import { WebSocketServerAdapter } from "@automerge/automerge-repo-network-websocket"
import { NodeFSStorageAdapter } from "@automerge/automerge-repo-storage-nodefs"

const [folder, port = "0"] = process.argv.slice(2)
const http = createServer((_, answer) => answer.end("up"))
const sockets = new WebSocketServer({ server: http })
new Repo({
  network: [new WebSocketServerAdapter(sockets)],
  storage: new NodeFSStorageAdapter(folder),
  peerId: "storage-server-peer",
  // a server answers for documents it is asked for, and announces none
  sharePolicy: async () => false,
})
// the repository reads its id first; who connects before it listens would never be heard
while (sockets.listenerCount("connection") === 0) await new Promise(done => setTimeout(done, 5))
http.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on ws://127.0.0.1:${http.address().port}`)
})
process.on("SIGTERM", () => process.exit(0))
