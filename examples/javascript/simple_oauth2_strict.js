// simple-oauth2, as a strict application: PKCE, and tokens of an hour that are refreshed.

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { AuthorizationCode } from "simple-oauth2";
import { askCustomer } from "./callback.js";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;

const client = new AuthorizationCode({
  client: { id: CLIENT_ID, secret: CLIENT_SECRET },
  auth: {
    tokenHost: ISSUER,
    authorizePath: "/app/oauth2/authorize",
    tokenPath: "/app/oauth2/token",
    revokePath: "/app/oauth2/revoke",
  },
});

// The library knows nothing of PKCE, but sends what it is given.
const codeVerifier = randomBytes(48).toString("base64url");
const state = randomUUID();
const url = client.authorizeURL({
  redirect_uri: REDIRECT_URI,
  scope: "aemp:read",
  state,
  code_challenge: createHash("sha256").update(codeVerifier).digest("base64url"),
  code_challenge_method: "S256",
});
const answer = (await askCustomer(url)).searchParams;

// The library leaves these to you.
if (answer.get("state") !== state || answer.get("iss") !== ISSUER) throw new Error("not the answer to our question");
if (answer.has("error")) throw new Error(`not connected: ${answer.get("error")}`);

const code = { code: answer.get("code"), redirect_uri: REDIRECT_URI, code_verifier: codeVerifier };
const first = await client.getToken(code);
const { expires_in, scope } = first.token;
console.log(`Connected: token for ${expires_in} s, scope ${scope}`);

// Store the new pair at once: the refresh token before it is worth nothing now.
const second = await first.refresh();
console.log(`Refreshed: token for ${second.token.expires_in} s`);

const fleet = await fetch(new URL("/api/v2/Fleet/1", ISSUER), {
  headers: { Accept: "application/json", Authorization: `Bearer ${second.token.access_token}` },
});
if (!fleet.ok) throw new Error(await fleet.text());
console.log("Machines:", (await fleet.json()).Equipment.length);

// Only when the customer leaves you. The refresh token takes all that came from this approval along.
await second.revoke("refresh_token");
console.log("Revoked");
