// simple-oauth2, as a classic application: one token that lives for years.

import { randomUUID } from "node:crypto";
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
  options: { authorizationMethod: "body" },
});

const state = randomUUID();
const answer = (await askCustomer(client.authorizeURL({ redirect_uri: REDIRECT_URI, state }))).searchParams;

// The library leaves these to you.
if (answer.get("state") !== state || answer.get("iss") !== ISSUER) throw new Error("not the answer to our question");
if (answer.has("error")) throw new Error(`not connected: ${answer.get("error")}`);

const accessToken = await client.getToken({ code: answer.get("code"), redirect_uri: REDIRECT_URI });
const { token } = accessToken;
console.log(`Connected: token for ${token.expires_in} s, scope ${token.scope}`);

const fleet = await fetch(new URL("/api/v2/Fleet/1", ISSUER), {
  headers: { Accept: "application/json", Authorization: `Bearer ${token.access_token}` },
});
if (!fleet.ok) throw new Error(await fleet.text());
console.log("Machines:", (await fleet.json()).Equipment.length);

// Only when the customer leaves you: a classic token is kept and used for years.
await accessToken.revoke("access_token");
console.log("Revoked");
