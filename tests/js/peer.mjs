// The JavaScript automerge-repo client, driven by lines of JSON on standard input:
//   {"id": 1, "do": "find", "doc": "<document id>"}  ->  {"id": 1, "ok": …} or {"id": 1, "error": "…"}
// It authorises itself as a browser does, with a single-use ticket for each connection.

import { createInterface } from "node:readline"
import * as A from "@automerge/automerge"
import { Repo } from "@automerge/automerge-repo"
import { WebSocketClientAdapter } from "@automerge/automerge-repo-network-websocket"

/** Fetches a new ticket before each connection; without an access token it connects plainly. */
class Adapter extends WebSocketClientAdapter {
  constructor(server, token) {
    super(`${server.replace(/^http/, "ws")}/sync`, 200)
    this.server = server
    this.token = token
    this.wanted = true
    this.refused = 0
  }
  connect(peerId, metadata) {
    this.peerId = peerId
    this.ticket().then(
      url => {
        if (!this.wanted) return
        this.url = url
        super.connect(peerId, metadata)
      },
      () => {
        this.refused += 1
        setTimeout(() => this.wanted && this.connect(peerId, metadata), 200)
      },
    )
  }
  async ticket() {
    const plain = `${this.server.replace(/^http/, "ws")}/sync`
    if (!this.token) return plain
    const answer = await fetch(`${this.server}/api/v1/sync/ticket`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.token}` },
    })
    if (!answer.ok) throw new Error(`ticket: ${answer.status}`)
    return `${plain}?ticket=${(await answer.json()).ticket}`
  }
  // an upgrade that is refused is an error event; the retry of `close` follows it
  onError = () => {}
}

let repo, adapter
const handles = new Map()

const handle = doc => {
  const found = handles.get(doc)
  if (!found) throw new Error(`${doc} was not found before`)
  return found
}

/**
 * Follows `path`, making maps where there are none, and sets what it ends in. The home document
 * has plain strings, not text that is edited letter by letter: `{"text": "…"}` is one of those.
 */
const put = (doc, path, value) => {
  const last = path.at(-1)
  const at = path.slice(0, -1).reduce((map, key) => (map[key] ??= {}), doc)
  if (value === null) delete at[last]
  else at[last] = typeof value?.text === "string" ? new A.ImmutableString(value.text) : value
}

/** With plain strings as strings. */
const plain = value => {
  if (A.isImmutableString(value)) return value.toString()
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

const actions = {
  async connect({ server, token }) {
    adapter = new Adapter(server, token)
    repo = new Repo({ network: [adapter], sharePolicy: async () => true })
    return repo.networkSubsystem.peerId
  },
  async offline() {
    adapter.wanted = false
    if (adapter.socket) adapter.disconnect()
  },
  async online() {
    adapter.wanted = true
    adapter.connect(adapter.peerId, adapter.peerMetadata)
  },
  async find({ doc, within = 20000 }) {
    const found = await repo.find(`automerge:${doc}`, { signal: AbortSignal.timeout(within) })
    handles.set(doc, found)
    return A.getHeads(found.doc()).sort()
  },
  async change({ doc, path, value }) {
    handle(doc).change(d => put(d, path, value))
    return A.getHeads(handle(doc).doc()).sort()
  },
  async heads({ doc }) {
    return A.getHeads(handle(doc).doc()).sort()
  },
  async read({ doc }) {
    return plain(A.toJS(handle(doc).doc()))
  },
  async actors({ doc }) {
    return [...new Set(A.getAllChanges(handle(doc).doc()).map(c => A.decodeChange(c).actor))]
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  actions[command.do](command).then(
    ok => console.log(JSON.stringify({ id: command.id, ok: ok ?? null })),
    e => console.log(JSON.stringify({ id: command.id, error: String(e?.message ?? e) })),
  )
}
process.exit(0)
