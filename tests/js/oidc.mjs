// An OpenID Connect provider with its own sign-in page. Whoever types a name is that person.
// Usage: node oidc.mjs PORT REDIRECT_URI. Prints `listening on ISSUER`.
// A name that begins with "unverified" has an e-mail address that nobody checked.

import Provider from "oidc-provider"

const [port, redirect] = process.argv.slice(2)
const issuer = `http://127.0.0.1:${port}`
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "hearthwatt",
      client_secret: "a secret of this test alone",
      redirect_uris: [redirect],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  // as most providers do: the claims are in the token itself
  conformIdTokenClaims: false,
  pkce: { required: () => false },
  cookies: { keys: ["one key", "another"] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: async () => ({
      sub,
      email: sub.includes("@") ? sub : `${sub}@example.org`,
      email_verified: !sub.startsWith("unverified"),
      name: sub.split("@")[0],
    }),
  }),
})
provider.listen(Number(port), "127.0.0.1", () => console.log(`listening on ${issuer}`))
process.on("SIGTERM", () => process.exit(0))
